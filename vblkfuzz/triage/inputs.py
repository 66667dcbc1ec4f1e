"""Input files from a PATH of a verb.

A file stands for itself, whatever its name. A folder stands for every `.vblk` and `.toml` file
below it, sorted by name. The folder of a finding has the same input as an artifact, which also has
device, mode and trace digest, and as text, and it may have a minimized one. Only one of these files
is used: the artifact of the minimized input, else that of the finding.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from vblkfuzz.errors import InputFileError
from vblkfuzz.store.finding_names import FINDING, MINIMIZED

_SUFFIXES: Final = (".vblk", ".toml")
_TEXTS: Final = {"scenario.toml": FINDING, "minimized.toml": MINIMIZED}
"""Names of text forms, and those of their artifacts."""


def input_files(path: str) -> list[str]:
    """Return the input files that `path` stands for.

    Raises:
        InputFileError: a folder without input files.
    """
    if not os.path.isdir(path):
        return [path]
    files = sorted(
        str(file) for file in Path(path).rglob("*") if file.suffix in _SUFFIXES and _counts(file)
    )
    if not files:
        raise InputFileError(path, "", "expected a folder with .vblk or .toml files, found none")
    return files


def _counts(file: Path) -> bool:
    found_only = file.name == FINDING and (file.parent / MINIMIZED).exists()
    return not is_text_of_artifact(file) and not found_only and file.is_file()


def is_text_of_artifact(file: Path) -> bool:
    """Whether a file is the text form of an artifact in the same folder."""
    artifact = _TEXTS.get(file.name)
    return artifact is not None and (file.parent / artifact).exists()
