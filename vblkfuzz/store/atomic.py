"""Atomic writes of files and folders: write a temporary one, sync, check its size, rename.

A sync takes milliseconds, so many files share one (`NewFiles`).
"""

from __future__ import annotations

import ctypes
import os
import secrets
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from pathlib import Path

TEMPORARY: Final = ".tmp-"
"""Prefix of the names of unfinished files and folders."""


def write_file(path: Path, data: bytes, *, sync: bool = True) -> None:
    """Write a file atomically: `path` never holds only a part of `data`.

    Args:
        path: the file.
        data: its content.
        sync: return when it is on the disk. Else a loss of power may take it, or leave it empty.

    Raises:
        OSError: the file could not be written; `path` is unchanged.
    """
    temporary = _temporary(path)
    try:
        _write(str(temporary), data, sync=sync)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _write(temporary: str, data: bytes, *, sync: bool) -> None:
    # Not tempfile: it ignores the umask and lets only the owner read the file. Not `open`, which
    # takes twice as long: an import writes tens of thousands of files.
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        rest = memoryview(data)
        while rest:  # a write of the whole takes less than that at the limit of a disk or a quota
            rest = rest[os.write(descriptor, rest) :]
        if sync:
            os.fsync(descriptor)
        if os.fstat(descriptor).st_size != len(data):
            raise OSError("short write, the disk is full")
    finally:
        os.close(descriptor)


class NewFiles:
    """Writes many files of one folder, with one sync for all of them.

    They have their names when the block ends, and are complete then, as with `write_file`. If it
    ends by an exception, or the process is killed before, none of them is there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = os.fspath(folder)
        self._temporary: dict[str, str] = {}
        """By path."""
        self._there: frozenset[str] = frozenset()
        self._prefix = f"{_temporary(folder / 'any')}-"

    def __enter__(self) -> Self:
        """Return this object; `add` writes files."""
        with suppress(OSError):  # `add` says what is wrong
            self._there = frozenset(os.listdir(self._folder))
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Sync and rename the files.

        Raises:
            OSError: they could not be written.
        """
        try:
            if kind is None and self._temporary:
                self._rename()
        finally:
            for temporary in self._temporary.values():
                with suppress(FileNotFoundError):
                    os.unlink(temporary)

    def add(self, name: str, data: bytes) -> None:
        """Write a file, unless there was one of this name and size before.

        Raises:
            OSError: it could not be written.
        """
        path = os.path.join(self._folder, name)
        whole = name in self._there and _has(path, len(data))
        if path not in self._temporary and not whole:
            self._temporary[path] = temporary = f"{self._prefix}{len(self._temporary)}"
            _write(temporary, data, sync=False)

    def _rename(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            _sync_disk_of(descriptor)
            for path, temporary in self._temporary.items():
                os.replace(temporary, path)
            self._temporary.clear()
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _has(path: str, size: int) -> bool:
    try:
        return os.stat(path).st_size == size
    except FileNotFoundError:
        return False


def _sync_disk_of(descriptor: int) -> None:
    """Wait until all files of a file system are on the disk (syncfs(2)); it reports lost writes."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syncfs(descriptor) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _temporary(path: Path) -> Path:
    return path.parent / f"{TEMPORARY}{os.getpid()}-{secrets.token_hex(8)}"


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
