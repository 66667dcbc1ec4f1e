"""The inputs in the folder of a finding, by name: the one that was found, and the minimized one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

FINDING: Final = "finding.vblk"
MINIMIZED: Final = "minimized.vblk"
"""The smallest input so far (`minimize.beside`); verbs prefer it."""


def has(folder: Path, name: str) -> bool:
    """Whether there is such a file in a folder; False also if the folder may not be read."""
    return os.path.exists(folder / name)  # Path.exists raises PermissionError


def smallest_file(folder: Path) -> Path:
    """Return the file with the smallest input of a finding, the minimized one if there is one."""
    return folder / (MINIMIZED if has(folder, MINIMIZED) else FINDING)
