"""The fuzz process's handle on the back-end process."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import ActorDied
from vblkfuzz.process.forked import Forked
from vblkfuzz.targets.vhost_user_frontend.log import Log
from vblkfuzz.targets.vhost_user_frontend.server import ORDER, BackendServer, Order

if TYPE_CHECKING:
    from collections.abc import Sequence

_ENDED: Final = "the process of the vhost-user back-end has ended"


class BackendProcess:
    """The back-end in a process of its own.

    Start it before there are threads and before there are connections that it must not inherit.
    """

    def __init__(self) -> None:
        self.log: Final = Log()
        self._forked: Final = Forked(self._serve)

    def start(self) -> None:
        """Fork the process; it ends when the calling thread ends."""
        self._forked.start()

    def _serve(self, orders: socket.socket) -> None:
        BackendServer(orders, self.log).run()

    def stop(self) -> None:
        """Kill and reap the process."""
        self._forked.stop()

    @property
    def pid(self) -> int:
        """Process id of the started process."""
        return self._forked.pid

    @property
    def lives(self) -> bool:
        """Whether the process runs."""
        return os.waitid(os.P_PID, self._forked.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    def order(self, order: Order, first: int = 0, second: int = 0, fds: Sequence[int] = ()) -> None:
        """Send a command and wait until it and all that arrived before are handled.

        Raises:
            ActorDied: the process has ended.
        """
        line = self._forked.line
        try:
            socket.send_fds(line, [ORDER.pack(order, first, second)], list(fds))
            answered = line.recv(ORDER.size)
        except OSError:
            answered = b""
        if not answered:
            raise ActorDied(_ENDED)
