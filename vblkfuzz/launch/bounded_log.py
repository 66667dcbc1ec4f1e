"""A log that stays small, however much a device prints.

The file belongs to processes that only append (O_APPEND): it can be cut while they write, and they
never wait for whoever cuts it. What is written during the cut is lost, if anything.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES: Final = 16 << 20
"""Size at which a log is cut."""
KEPT_BYTES: Final = 1 << 20
"""How much of its begin, and of its end, is kept then."""


def bound(log: Path, most: int = MOST_BYTES, kept: int = KEPT_BYTES) -> int:
    """Cut a log that has grown larger than `most` bytes; return how many it has lost.

    Its first and its last `kept` bytes stay, with a line in between that says so.

    Raises:
        OSError: it cannot be read or written.
    """
    if log.stat().st_size <= most:
        return 0
    fd = os.open(log, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
    try:
        size = os.fstat(fd).st_size
        begin = _to_line(os.pread(fd, kept, 0))
        end = os.pread(fd, kept, size - kept)
        lead = b"" if begin.endswith(b"\n") else b"\n"
        lost = size - len(begin) - len(end)
        os.ftruncate(fd, len(begin))
        os.write(fd, b"%s--- %d bytes left out, as the log was full\n" % (lead, lost) + end)
    finally:
        os.close(fd)
    return lost


def _to_line(begin: bytes) -> bytes:
    """Return it up to its last whole line, if it has one."""
    return begin[: begin.rfind(b"\n") + 1] or begin
