"""What proc(5) says of one thread: where and how it sleeps, and how often it has run."""

from __future__ import annotations

import os
from typing import Final

_BY_KERNEL: Final = b"D"
_PROC_BYTES: Final = 256
"""Bytes to read; each of these files is shorter, or begins with what is of interest."""


class ThreadFiles:
    """wchan, schedstat and stat of a thread, kept open, since opening takes longer than reading.

    They stay invalid after its end, also if its number is used again: to read them raises
    FileNotFoundError or ProcessLookupError then.
    """

    __slots__ = ("_schedstat", "_stat", "_wchan")

    def __init__(self, folder: str) -> None:
        """Open the files of the thread that `folder` in proc is of.

        Raises:
            FileNotFoundError, ProcessLookupError: it has ended.
        """
        opened: list[int] = []
        try:
            for name in ("wchan", "schedstat", "stat"):
                opened.append(os.open(f"{folder}/{name}", os.O_RDONLY))
        except OSError:
            for fd in opened:
                os.close(fd)
            raise
        self._wchan, self._schedstat, self._stat = opened

    def where(self) -> bytes:
        """Return the function of the kernel in which it sleeps; "0" or nothing: it runs."""
        return os.pread(self._wchan, _PROC_BYTES, 0)

    def runs(self) -> bytes:
        """Return how long and how often it has run, as text: another one once it has run again."""
        return os.pread(self._schedstat, _PROC_BYTES, 0)

    def spent_ns(self) -> int:
        """Return its CPU time in nanoseconds."""
        return int(self.runs().split()[0])

    def sleeps_in(self) -> bytes:
        """Return as `where`, but nothing of a thread that goes on without an event from outside.

        Such a thread waits until the kernel has done its own work (state D of proc(5)): for a
        page, a disk, or a lock that another program may have; whoever reads /proc/PID/smaps has
        that of the address space. The state is read first. When it was woken in between, it waits
        for a processor, has not run yet, and is not in state D any more: only its place would
        show then, and that is of before.
        """
        if self._state() == _BY_KERNEL:
            return b""
        return self.where()

    def _state(self) -> bytes:
        return os.pread(self._stat, _PROC_BYTES, 0).rpartition(b") ")[2][:1]

    def close(self) -> None:
        """Close all."""
        for fd in (self._wchan, self._schedstat, self._stat):
            os.close(fd)
