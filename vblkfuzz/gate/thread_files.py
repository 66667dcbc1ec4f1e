"""What proc(5) says of one thread: where and how it sleeps, and how often it has run."""

from __future__ import annotations

import os
from typing import Final

_BY_KERNEL: Final = b"D"
_PROC_BYTES: Final = 256
"""Bytes to read; each of these files is shorter, or begins with what is of interest."""


def until_woken(kernel: str) -> frozenset[bytes]:
    """Return the functions of the kernel in which a thread is never in state D.

    They sleep interruptibly and take no lock for which they would sleep (`ep_poll` and
    `unix_stream_read_generic` take a mutex).

    Args:
        kernel: its version, as uname(2) tells it. In one of real time, a spinlock is such a lock.
    """
    if "PREEMPT_RT" in kernel:
        return frozenset()
    futex = (b"futex_do_wait", b"futex_wait_queue", b"futex_wait_queue_me")
    return frozenset((*futex, b"poll_schedule_timeout", b"hrtimer_nanosleep"))


_UNTIL_WOKEN: Final = until_woken(os.uname().version)


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
        show then, and that is of before. Some places say all; their threads are most of those that
        sleep, and reading the state takes as long as reading two places.
        """
        place = self.where()
        if place.partition(b".")[0] in _UNTIL_WOKEN:  # the compiler may add ".constprop.0"
            return place
        if self._state() == _BY_KERNEL:
            return b""
        return self.where()

    def _state(self) -> bytes:
        return os.pread(self._stat, _PROC_BYTES, 0).rpartition(b") ")[2][:1]

    def close(self) -> None:
        """Close all."""
        for fd in (self._wchan, self._schedstat, self._stat):
            os.close(fd)
