"""Input files from a PATH of a verb.

A file stands for itself, whatever its name. A folder stands for every `.vblk` and `.toml` file
below it, sorted by name. The folder of a finding has the same input twice, as `finding.vblk` and
`scenario.toml`; only `finding.vblk` is used, since it also has device, mode and trace digest.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from vblkfuzz.errors import InputFileError

_SUFFIXES: Final = (".vblk", ".toml")
_ARTIFACT: Final = "finding.vblk"
_ITS_TEXT: Final = "scenario.toml"


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
    return not is_text_of_artifact(file) and file.is_file()


def is_text_of_artifact(file: Path) -> bool:
    """Whether a file is the text form of an artifact in the same folder."""
    return file.name == _ITS_TEXT and (file.parent / _ARTIFACT).exists()
