"""The canonical form of a scenario file: its leading comment, then the output of `to_text`.

``python -m vblkfuzz.scenario.canonical corpus`` rewrites every text below a folder, so that later
diffs show only real changes. A new field of the device changes no file, since fields with their
default value are left out. Only the comment above the scenario is kept; others are lost.
"""

from __future__ import annotations

import sys
from pathlib import Path

from vblkfuzz.errors import InputFileError
from vblkfuzz.scenario.text import read_text, to_text


def canonical(text: str, path: str) -> str:
    """Return a text in canonical form; `path` is the file name used in errors.

    Raises:
        InputFileError: as `text.read_text`.
    """
    scenario, expectation, on, target = read_text(text, path)
    return to_text(scenario, _comment(text), expectation, on, target)


def _comment(text: str) -> str:
    above = text.partition("format = ")[0].splitlines()
    return "\n".join(line.removeprefix("#").removeprefix(" ") for line in above)


def rewrite(folder: Path) -> list[Path]:
    """Rewrite the texts below a folder in canonical form; return the files that changed.

    Raises:
        InputFileError: a file is no scenario. Files before it, by name, have been rewritten.
    """
    changed = []
    for path in sorted(folder.rglob("*.toml")):
        text = path.read_text()
        wanted = canonical(text, str(path))
        if wanted != text:
            path.write_text(wanted)
            changed.append(path)
    return changed


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m vblkfuzz.scenario.canonical FOLDER")
    try:
        print(*rewrite(Path(sys.argv[1])), sep="\n")
    except InputFileError as error:
        sys.exit(str(error))
