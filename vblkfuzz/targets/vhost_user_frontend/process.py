"""The fuzz process's handle on the back-end process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.targets.server_process import ServerProcess
from vblkfuzz.targets.vhost_user_frontend.log import Log
from vblkfuzz.targets.vhost_user_frontend.server import BackendServer

if TYPE_CHECKING:
    import socket


class BackendProcess(ServerProcess):
    """The back-end in a process of its own; its commands are `server.Order`."""

    def __init__(self) -> None:
        super().__init__("vhost-user back-end", self._serve)
        self.log: Final = Log()

    def _serve(self, orders: socket.socket) -> None:
        BackendServer(orders, self.log).run()
