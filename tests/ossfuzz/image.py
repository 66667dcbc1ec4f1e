"""What `.clusterfuzzlite/build.sh` finds in the image of OSS-Fuzz, made without the image.

`compile_python_fuzzer` does here what it does there: one executable by PyInstaller, without the
permission to execute it, and a wrapper that preloads a sanitizer.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.checkout import CHECKOUT, source_copy

_COMPILE: Final = """#!/bin/bash -eu
name=$(basename -s .py "$1")
{python} -m PyInstaller --distpath "$OUT" --workpath "$WORK" --onefile --name "$name.pkg" "$1"
chmod -x "$OUT/$name.pkg"
echo 'LD_PRELOAD=sanitizer_with_fuzzer.so exec false # LLVMFuzzerTestOneInput' >"$OUT/$name"
chmod +x "$OUT/$name"
"""
_PROGRAMS: Final = {
    "pip3": "#!/bin/sh\n# vblkfuzz is installed.\n",
    "python3": '#!/bin/sh\nexec {python} "$@"\n',
    "compile_python_fuzzer": _COMPILE,
}


def build(folder: Path) -> Path:
    """Run `build.sh`; return the folder with what it made ($OUT).

    Raises:
        AssertionError: it failed.
    """
    source = folder / "vblkfuzz"
    for part in (".clusterfuzzlite", "fuzz"):
        source_copy(CHECKOUT / part, source / part)
    places = {name: str(folder / name.lower()) for name in ("OUT", "WORK", "BIN")}
    for path in places.values():
        Path(path).mkdir()
    for name, text in _PROGRAMS.items():
        program = Path(places["BIN"], name)
        program.write_text(text.format(python=sys.executable))
        program.chmod(0o755)
    environ = {**os.environ, **places, "PATH": f"{places['BIN']}:{os.environ['PATH']}"}
    command = ["bash", "-eu", ".clusterfuzzlite/build.sh"]
    ended = subprocess.run(
        command, cwd=source, env=environ, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return Path(places["OUT"])
