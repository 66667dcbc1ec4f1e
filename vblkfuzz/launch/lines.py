"""Lines: what comes through a pipe, split into lines, within a bound of memory.

Whatever writes to the pipe, a line that is longer than the bound is dropped while it comes in.
"""

from __future__ import annotations


class Lines:
    """Splits bytes into lines.

    Args:
        limit: most bytes of a line.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._partial = b""
        self._skips = False
        """Until the end of the line: it is too long."""
        self.dropped = 0
        """Lines that were too long."""

    def feed(self, data: bytes) -> list[bytes]:
        """Return the lines that `data` completes, without their ends; no empty ones."""
        *ended, rest = data.split(b"\n")
        lines = [line for one in ended if (line := self._end(one))]
        self._add(rest)
        return lines

    def _end(self, data: bytes) -> bytes:
        self._add(data)
        line, self._partial, self._skips = self._partial, b"", False
        return line

    def _add(self, data: bytes) -> None:
        if self._skips:
            return
        if len(self._partial) + len(data) > self._limit:
            self._partial, self._skips = b"", True
            self.dropped += 1
        else:
            self._partial += data
