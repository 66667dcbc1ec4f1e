"""The files in the folder of a finding that hold its input.

They are one input in several forms, so the finding counts once: by its minimized artifact, else by
its artifact. These also say target, device and mode.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

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
    return folder / (MINIMIZED if has(folder, MINIMIZED) else ARTIFACT)


def has_better(path: Path) -> bool:
    """Whether a file is of a finding that has another one which says more."""
    if path.name not in _BEST_FIRST or not has(path.parent, ARTIFACT):
        return False
    better = _BEST_FIRST[: _BEST_FIRST.index(path.name)]
    return any(has(path.parent, name) for name in better)
