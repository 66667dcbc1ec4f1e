"""Files that are whole or not there: written aside, synced, checked, renamed."""

from __future__ import annotations

import os
import secrets
import shutil
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

TEMPORARY: Final = ".tmp-"
"""How the names of unfinished files and folders begin."""


def write_file(path: Path, data: bytes) -> None:
    """Write a file so that `path` is never half-written.

    Raises:
        OSError: it could not be written as a whole; `path` is as it was.
    """
    temporary = _temporary(path)
    try:
        # Not tempfile: it makes files that nobody else may read, whatever the umask says.
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
    """Write a folder of files so that `path` is never half there.

    Returns:
        False if it existed already; nothing was written then.

    Raises:
        OSError: it could not be written as a whole.
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
        # Another worker was faster: a rename onto a folder that is not empty fails.
        if isinstance(error, OSError) and path.exists():
            return False
        raise
    return True
