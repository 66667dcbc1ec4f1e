"""The bytes of an input file, which may be a pipe: `/dev/stdin`, ``<(command)``, a FIFO.

Opening a FIFO waits until another process writes to it (fifo(7)), and nothing says so. So an input
is opened without waiting, and a FIFO that no process writes to is an error.
"""

from __future__ import annotations

import os
import stat
from typing import Final

from vblkfuzz.errors import InputFileError

_NO_WRITER: Final = "expected a file, found a named pipe (FIFO) that no process writes to"


_PIECE: Final = 1 << 16
"""Bytes that are read at once: the memory for a larger piece takes longer than a small file."""


def read_at_most(path: str | os.PathLike[str], limit: int) -> bytes:
    """Return the first `limit` bytes of a file, or all if it has fewer.

    It waits for a pipe that a process has open for writing.

    Raises:
        InputFileError: a FIFO that no process has open for writing.
        OSError: the file cannot be opened or read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return _read(descriptor, os.fspath(path), limit)
    finally:
        os.close(descriptor)


def _read(descriptor: int, path: str, limit: int) -> bytes:
    # Without an object for the file: an import reads tens of thousands of small ones.
    status = os.fstat(descriptor)
    mode = status.st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError
    data = _without_waiting(descriptor, min(limit, _PIECE))
    if data == b"" and stat.S_ISFIFO(mode) and _has_a_name(descriptor):
        raise InputFileError(path, "", _NO_WRITER)
    if data and stat.S_ISREG(mode) and len(data) == status.st_size:
        return data
    if not stat.S_ISREG(mode):
        os.set_blocking(descriptor, True)
    parts = [data or b""]
    missing = limit - len(parts[0])
    while data != b"" and missing > 0 and (more := os.read(descriptor, min(missing, _PIECE))):
        parts.append(more)
        missing -= len(more)
    return b"".join(parts)


def _without_waiting(descriptor: int, limit: int) -> bytes | None:
    """Return what can be read at once, empty at the end of the file; None: nothing yet."""
    try:
        return os.read(descriptor, limit)
    except BlockingIOError:
        return None


def _has_a_name(descriptor: int) -> bool:
    """Whether a FIFO is in a folder, and not one end of a pipe(2), whose writer may be done."""
    return not os.readlink(f"/proc/self/fd/{descriptor}").startswith("pipe:")
