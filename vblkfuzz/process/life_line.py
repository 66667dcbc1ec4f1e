"""A life line: whether a process that was forked here, or one of its own, still lives."""

from __future__ import annotations

import os
import select


class LifeLine:
    """A pipe that each process forked while it is open inherits, and with it a hold on its end.

    It has no process id, which another process may have by now, and sees all descendants: those
    that are told to die with their parent (`parent_death`) live a little longer than it.
    """

    def __init__(self) -> None:
        self._read, self._write = os.pipe2(os.O_CLOEXEC)

    def let_go(self) -> None:
        """Drop the hold of this process, so that only those that it has forked have one."""
        if self._write >= 0:
            os.close(self._write)
            self._write = -1

    def all_ended(self, limit: float) -> bool:
        """Wait up to `limit` seconds; return whether nobody holds it any more."""
        poll = select.poll()
        poll.register(self._read, 0)  # POLLHUP is always reported
        return bool(poll.poll(limit * 1000))

    def close(self) -> None:
        """Close what is open of it."""
        self.let_go()
        os.close(self._read)
