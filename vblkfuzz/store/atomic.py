"""Atomic writes of files and folders: write a temporary one, sync, check its size, rename."""

from __future__ import annotations

import os
import secrets
import shutil
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

TEMPORARY: Final = ".tmp-"
"""Prefix of the names of unfinished files and folders."""


def write_file(path: Path, data: bytes) -> None:
    """Write a file atomically: `path` never holds only a part of `data`.

    Raises:
        OSError: the file could not be written; `path` is unchanged.
    """
    temporary = _temporary(path)
    try:
        # Not tempfile: it ignores the umask and lets only the owner read the file.
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if temporary.stat().st_size != len(data):
            raise OSError("short write, the disk is full")
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _temporary(path: Path) -> Path:
    return path.parent / f"{TEMPORARY}{os.getpid()}-{secrets.token_hex(4)}"


def write_folder(path: Path, files: dict[str, bytes]) -> bool:
    """Write a folder of files atomically: `path` exists with all `files` or not at all.

    Returns:
        False if `path` existed already; nothing is written then.

    Raises:
        OSError: the folder could not be written; `path` does not exist.
    """
    if path.exists():
        return False
    temporary = _temporary(path)
    try:
        temporary.mkdir()
        for name, data in files.items():
            write_file(temporary / name, data)
        temporary.rename(path)
    except BaseException as error:
        shutil.rmtree(temporary, ignore_errors=True)
        # A rename to a folder that is not empty fails: another worker wrote it in the meantime.
        if isinstance(error, OSError) and path.exists():
            return False
        raise
    return True
