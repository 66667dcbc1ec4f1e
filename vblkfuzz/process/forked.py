"""A forked process that serves packets on one socket and dies with its parent."""

from __future__ import annotations

import os
import signal
import socket
from typing import TYPE_CHECKING

from vblkfuzz.process.parent_death import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Callable


def close_all_but(fd: int) -> None:
    """Close what was inherited, but standard streams and `fd`.

    A connection to another process has to end when that process does, not when this one does, too.
    """
    most = max(map(int, os.listdir("/proc/self/fd")))
    os.closerange(3, fd)
    os.closerange(fd + 1, most + 1)


class Forked:
    """The parent's handle; `serve` runs in the child, on the child's end of the socket pair."""

    line: socket.socket
    """The parent's end (SOCK_SEQPACKET), while the process runs."""

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self._serve = serve
        self.pid = 0
        """Process id while the process runs, else 0."""

    def start(self) -> None:
        """Fork the process; it dies with the calling thread."""
        self.line, child_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                die_with_parent(parent)
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                signal.signal(signal.SIGHUP, signal.SIG_DFL)
                self.line.close()
                self._serve(child_end)
            finally:
                os._exit(1)
        child_end.close()

    def stop(self) -> None:
        """Kill and reap the process, if it runs."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.pid = 0
            self.line.close()
