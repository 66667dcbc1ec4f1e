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
    with open(descriptor, "rb", buffering=0) as file:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise IsADirectoryError
        data = _without_waiting(descriptor, min(limit, _PIECE))
        if data == b"" and _is_named_pipe(descriptor):
            raise InputFileError(os.fspath(path), "", _NO_WRITER)
        os.set_blocking(descriptor, True)
        parts = [data or b""]
        missing = limit - len(parts[0])
        while data != b"" and missing > 0 and (more := file.read(min(missing, _PIECE))):
            parts.append(more)
            missing -= len(more)
    return b"".join(parts)


def _without_waiting(descriptor: int, limit: int) -> bytes | None:
    """Return what can be read at once, empty at the end of the file; None: nothing yet."""
    try:
        return os.read(descriptor, limit)
    except BlockingIOError:
        return None


def _is_named_pipe(descriptor: int) -> bool:
    """Whether it is a FIFO in a folder, and not one end of a pipe(2), whose writer may be done."""
    if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        return False
    return not os.readlink(f"/proc/self/fd/{descriptor}").startswith("pipe:")
