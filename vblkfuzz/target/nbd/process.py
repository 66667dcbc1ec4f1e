"""The NBD server as a process of its own, and the fuzz process's handle on it."""

from __future__ import annotations

import os
import signal
import socket
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import ActorDied
from vblkfuzz.process.parent_death import die_with_parent
from vblkfuzz.target.nbd.disk import Disks
from vblkfuzz.target.nbd.server import ORDER, Counters, NbdServer, Order

if TYPE_CHECKING:
    from collections.abc import Sequence


class NbdProcess:
    """Start it before there are threads, and before connections that it should not inherit."""

    def __init__(self) -> None:
        self.disks: Final = Disks()
        self.counters: Final = Counters()
        self._pid = 0
        self._orders: socket.socket

    def start(self) -> None:
        """Fork it; it dies with the calling thread."""
        self._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        parent = os.getpid()
        self._pid = os.fork()
        if self._pid == 0:
            try:
                die_with_parent(parent)
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                self._orders.close()
                NbdServer(theirs, self.disks, self.counters).run()
            finally:
                os._exit(1)
        theirs.close()

    def stop(self) -> None:
        """Kill and reap it."""
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            self._pid = 0
            self._orders.close()

    @property
    def lives(self) -> bool:
        """Whether the process runs."""
        return os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    def connect(self) -> socket.socket:
        """Return the client's end of a new connection."""
        ours, theirs = socket.socketpair()
        with theirs:
            self.order(Order.ADOPT, fds=(theirs.fileno(),))
        return ours

    def order(self, order: Order, pick: int = 0, result: int = 0, fds: Sequence[int] = ()) -> None:
        """Let it do something, and handle what has arrived before.

        Raises:
            ActorDied: the server process has ended.
        """
        try:
            socket.send_fds(self._orders, [ORDER.pack(order, pick, result)], list(fds))
            answered = self._orders.recv(ORDER.size)
        except OSError:
            answered = b""
        if not answered:
            raise ActorDied("the NBD server process has ended")

    @property
    def progress(self) -> tuple[int, int]:
        """Grows whenever a request comes or is answered."""
        return self.counters.arrived, self.counters.ended

    @property
    def works(self) -> bool:
        """Whether requests are in flight that nobody holds back."""
        counters = self.counters
        return counters.arrived - counters.ended > counters.held
