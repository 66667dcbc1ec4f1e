"""Files that are whole or not there: written aside, synced, checked, renamed."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path


def write_file(path: Path, data: bytes) -> None:
    """Write a file so that `path` is never half-written.

    Raises:
        OSError: it could not be written as a whole; `path` is as it was.
    """
    fd, temporary = tempfile.mkstemp(prefix=".tmp-", dir=path.parent)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if os.path.getsize(temporary) != len(data):
            raise OSError(f"{path}: short write, the disk is full")
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_folder(path: Path, files: dict[str, bytes]) -> bool:
    """Write a folder of files so that `path` is never half there.

    Returns:
        False if it existed already; nothing was written then.

    Raises:
        OSError: it could not be written as a whole.
    """
    if path.exists():
        return False
    temporary = Path(tempfile.mkdtemp(prefix=".tmp-", dir=path.parent))
    try:
        for name, data in files.items():
            write_file(temporary / name, data)
        temporary.chmod(0o755)
        os.rename(temporary, path)
    except BaseException as error:
        shutil.rmtree(temporary, ignore_errors=True)
        # Another worker was faster: a rename onto a folder that is not empty fails.
        if isinstance(error, OSError) and path.exists():
            return False
        raise
    return True
