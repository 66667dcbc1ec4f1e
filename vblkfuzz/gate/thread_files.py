"""What proc(5) says of one thread: where in the kernel it sleeps, and how often it has run."""

from __future__ import annotations

import os
from typing import Final

_PROC_BYTES: Final = 256
"""Bytes to read; each of these files is shorter."""


class ThreadFiles:
    """wchan and schedstat of a thread, kept open, since opening takes longer than reading.

    They stay invalid after its end, also if its number is used again: to read them raises
    FileNotFoundError or ProcessLookupError then.
    """

    __slots__ = ("_schedstat", "_wchan")

    def __init__(self, folder: str) -> None:
        """Open the files of the thread that `folder` in proc is of.

        Raises:
            FileNotFoundError, ProcessLookupError: it has ended.
        """
        self._wchan = os.open(f"{folder}/wchan", os.O_RDONLY)
        try:
            self._schedstat = os.open(f"{folder}/schedstat", os.O_RDONLY)
        except OSError:
            os.close(self._wchan)
            raise

    def where(self) -> bytes:
        """Return the function of the kernel in which it sleeps; "0" or nothing: it runs."""
        return os.pread(self._wchan, _PROC_BYTES, 0)

    def runs(self) -> bytes:
        """Return how long and how often it has run, as text: another one once it has run again."""
        return os.pread(self._schedstat, _PROC_BYTES, 0)

    def spent_ns(self) -> int:
        """Return its CPU time in nanoseconds."""
        return int(self.runs().split()[0])

    def close(self) -> None:
        """Close both."""
        os.close(self._wchan)
        os.close(self._schedstat)
