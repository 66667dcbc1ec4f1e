"""The fuzz process's handle on the NBD server process."""

from __future__ import annotations

import socket
from typing import Final

from vblkfuzz.targets.nbd.disk import Disks
from vblkfuzz.targets.nbd.server import Counters, NbdServer, Order
from vblkfuzz.targets.server_process import ServerProcess


class NbdProcess(ServerProcess):
    """The NBD server in a process of its own; its commands are `server.Order`."""

    def __init__(self) -> None:
        super().__init__("NBD server", self._serve)
        self.disks: Final = Disks()
        self.counters: Final = Counters()

    def _serve(self, orders: socket.socket) -> None:
        NbdServer(orders, self.disks, self.counters).run()

    def connect(self) -> socket.socket:
        """Return the client's end of a new connection."""
        client_end, server_end = socket.socketpair()
        with server_end:
            self.order(Order.ADOPT, fds=(server_end.fileno(),))
        return client_end
