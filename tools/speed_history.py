"""Add the speed of the commit that is checked out to docs/speed-history.jsonl: ``tox -e speed``.

One JSON object a line; what stands there is never changed, and a second run on the same commit adds
a second line. Arguments go to ``vblkfuzz bench core``. docs/speed.md says what can be compared.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
HISTORY: Final = ROOT / "docs" / "speed-history.jsonl"
MEASURED: Final = ("vblkfuzz", "pyproject.toml")
"""What the wheel is built from."""


def output(*command: str) -> str:
    """Return what a command prints.

    It runs in docs/, where Python cannot take the checkout for the installed package.

    Raises:
        CalledProcessError: it fails.
    """
    run = subprocess.run(command, cwd=HISTORY.parent, stdout=subprocess.PIPE, text=True, check=True)
    return run.stdout.strip()


def cpu() -> str:
    """Return the model name of the first processor, as Linux gives it."""
    found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def build() -> str:
    """Return the tag of the installed wheel: py3-none-any is pure Python."""
    said = distribution("vblkfuzz").read_text("WHEEL") or ""
    return " ".join(re.findall(r"^Tag: (.+)$", said, re.MULTILINE))


def entry(arguments: list[str]) -> dict[str, object]:
    """Measure; return one line of the history."""
    commit, date = output("git", "log", "-1", "--format=%H %cI").split()
    bench = (sys.executable, "-m", "vblkfuzz", "bench", "core", "--json", *arguments)
    return {
        "commit": commit,
        "date": date,
        "python": platform.python_version(),
        "cpu": cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 2),
        "build": build(),
        "figures": json.loads(output(*bench)),
    }


def main() -> None:
    """Add a line, and print it."""
    paths = [str(ROOT / name) for name in MEASURED]
    if changed := output("git", "status", "--porcelain", "--", *paths):
        sys.exit(f"these changes belong to no commit yet: commit them first\n{changed}")
    line = json.dumps(entry(sys.argv[1:]))
    with HISTORY.open("a") as file:
        file.write(f"{line}\n")
    print(line)


if __name__ == "__main__":
    main()
