"""The files in the folder of a finding that hold its input.

They are one input in several forms, so the finding counts once: by its minimized artifact, else by
its artifact. These also say target, device and mode.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

ARTIFACT: Final = "finding.vblk"
MINIMIZED: Final = "minimized.vblk"
"""Name for the output of `minimize` beside a finding; it is preferred, as the shorter scenario."""
RAW: Final = "input.bin"
_BEST_FIRST: Final = (MINIMIZED, ARTIFACT, "minimized.toml", "scenario.toml", RAW)


def has(folder: Path, name: str) -> bool:
    """Whether there is such a file in a folder; False also if the folder may not be read."""
    return os.path.exists(folder / name)  # Path.exists raises PermissionError


def file_of_finding(folder: Path) -> Path:
    """Return the file that stands for the finding in a folder; its artifact, if there is none."""
    return Path(path_of_finding(os.fspath(folder)))


def path_of_finding(folder: str) -> str:
    """Do the same for texts: of 10,000 findings, objects of paths would take a second."""
    minimized = os.path.join(folder, MINIMIZED)
    return minimized if os.path.exists(minimized) else os.path.join(folder, ARTIFACT)


def has_better(path: str | Path) -> bool:
    """Whether a file is of a finding that has another one which says more."""
    if not os.fspath(path).endswith(_BEST_FIRST):
        return False  # at once: an import asks for 50,000 files
    folder, name = os.path.split(path)
    if name not in _BEST_FIRST or not has(Path(folder), ARTIFACT):
        return False
    better = _BEST_FIRST[: _BEST_FIRST.index(name)]
    return any(has(Path(folder), one) for one in better)
