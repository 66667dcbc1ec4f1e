"""The fuzz process's handle on the NBD server process."""

from __future__ import annotations

import os
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import ActorDied
from vblkfuzz.process.forked import Forked
from vblkfuzz.targets.nbd.disk import Disks
from vblkfuzz.targets.nbd.server import ORDER, Counters, NbdServer, Order

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class NbdProcess:
    """The NBD server in a process of its own.

    Start it before there are threads and before there are connections that it must not inherit.
    """

    def __init__(self) -> None:
        self.disks: Final = Disks()
        self.counters: Final = Counters()
        self._forked: Final = Forked(self._serve)

    def start(self) -> None:
        """Fork the server; it ends when the calling thread ends."""
        self._forked.start()

    def _serve(self, orders: socket.socket) -> None:
        NbdServer(orders, self.disks, self.counters).run()

    def stop(self) -> None:
        """Kill and reap the server."""
        self._forked.stop()

    @property
    def pid(self) -> int:
        """Process id of the started server."""
        return self._forked.pid

    @property
    def lives(self) -> bool:
        """Whether the process runs."""
        return os.waitid(os.P_PID, self._forked.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    def connect(self) -> socket.socket:
        """Return the client's end of a new connection."""
        client_end, server_end = socket.socketpair()
        with server_end:
            self.order(Order.ADOPT, fds=(server_end.fileno(),))
        return client_end

    def order(self, order: Order, pick: int = 0, result: int = 0, fds: Sequence[int] = ()) -> None:
        """Send a command and wait until it and all requests that arrived before are handled.

        Raises:
            ActorDied: the server process has ended.
        """
        with self.carrying_out(order, pick, result, fds):
            pass

    @contextmanager
    def carrying_out(
        self, order: Order, pick: int = 0, result: int = 0, fds: Sequence[int] = ()
    ) -> Iterator[None]:
        """As `order`, but the caller's block runs while the server works.

        Raises:
            ActorDied: the server process has ended.
        """
        line = self._forked.line
        try:
            socket.send_fds(line, [ORDER.pack(order, pick, result)], list(fds))
        except OSError:
            raise ActorDied(_ENDED) from None
        try:
            yield
        finally:
            self._await_answer()

    def _await_answer(self) -> None:
        try:
            answered = self._forked.line.recv(ORDER.size)
        except OSError:
            answered = b""
        if not answered:
            raise ActorDied(_ENDED)


_ENDED: Final = "the NBD server process has ended"
