"""Which files a PATH of a verb means.

A file means itself, whatever it is called. A folder means every `.vblk` and `.toml` below it, by
name. The folder of a finding holds the same input twice, `finding.vblk` and `scenario.toml`: of
these only `finding.vblk` is taken, since it knows the device, the mode and the trace digest too.
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
    """Return the input files that `path` means.

    Raises:
        InputFileError: a folder with none, or that cannot be read.
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
    """Whether a file says what an artifact beside it says too."""
    return file.name == _ITS_TEXT and (file.parent / _ARTIFACT).exists()
