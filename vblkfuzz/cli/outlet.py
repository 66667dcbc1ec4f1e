"""An outlet: a stream of a campaign that does not wait for its reader.

A pipe that is not read, or a terminal that was stopped (ctrl-S), would stop the orchestrator, and
so the campaign. What the reader does not take at once waits in memory, up to a bound.
"""

from __future__ import annotations

import os
import select
import stat
import time
from math import inf
from typing import Final

_AGAIN_S: Final = 0.01
"""Seconds until another try on a terminal that says that it has room, and has too little."""


class Outlet:
    """Writes messages to a descriptor, in order and whole, as its reader takes them.

    Args:
        descriptor: where to; it stays as it is, since other processes may have it too.
        most: bytes that wait.
    """

    def __init__(self, descriptor: int, most: int) -> None:
        self._descriptor = _reopened(descriptor)
        self._most = most
        self._waiting = bytearray()

    def write(self, message: bytes) -> bool:
        """Write a message now or later; return False, and drop it, if too many bytes wait.

        Raises:
            OSError: the descriptor cannot be written; what waited is lost.
        """
        self.drain(0)
        if len(self._waiting) + len(message) > self._most:
            return False
        self._waiting += message
        self.drain(0)
        return True

    def drain(self, seconds: float) -> bool:
        """Return whether nothing waits any more, within so many seconds.

        Raises:
            OSError: the descriptor cannot be written; what waited is lost.
        """
        deadline = time.monotonic() + seconds
        ready = select.poll()
        ready.register(self._descriptor, select.POLLOUT)
        while self._waiting:
            left = max(0.0, deadline - time.monotonic())
            if not ready.poll(None if left == inf else left * 1000):
                return False
            if not self._push():
                if not left:
                    return False
                time.sleep(_AGAIN_S)
        return True

    def _push(self) -> bool:
        """Write what the descriptor takes; a pipe that is ready takes PIPE_BUF bytes (pipe(7))."""
        try:
            written = os.write(self._descriptor, bytes(self._waiting[: select.PIPE_BUF]))
        except BlockingIOError:
            return False
        except OSError:
            self._waiting.clear()
            raise
        del self._waiting[:written]
        return True


def _reopened(descriptor: int) -> int:
    """Return a description of our own of a pipe or a terminal, which does not block.

    Where that cannot be, and for files, the descriptor itself.
    """
    mode = os.fstat(descriptor).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)):
        return descriptor
    flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        return os.open(f"/proc/self/fd/{descriptor}", flags)
    except OSError:
        return descriptor
