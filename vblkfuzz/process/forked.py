"""A forked process that serves one line of packets and dies with whoever forked it."""

from __future__ import annotations

import os
import signal
import socket
from typing import TYPE_CHECKING

from vblkfuzz.process.parent_death import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Callable


class Forked:
    """The parent's handle; `serve` runs in the process, on its end of the line."""

    line: socket.socket
    """Our end (SOCK_SEQPACKET), while it is started."""

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self._serve = serve
        self.pid = 0
        """Of the process, while it is started."""

    def start(self) -> None:
        """Fork it; it dies with the calling thread."""
        self.line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                die_with_parent(parent)
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                self.line.close()
                self._serve(theirs)
            finally:
                os._exit(1)
        theirs.close()

    def stop(self) -> None:
        """Kill and reap it."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.pid = 0
            self.line.close()
