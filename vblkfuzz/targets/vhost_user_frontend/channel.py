"""The channel on which the back-end sends messages of its own ("Back-end message types").

The front-end gives it with SET_BACKEND_REQ_FD. It may ask for the configuration before it answers
that it has taken the change, so nobody waits here for its answer.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from vblkfuzz.targets.vhost.message import FLAG_NEED_REPLY, HEADER, U64, VERSION
from vblkfuzz.targets.vhost_user_frontend.log import Told
from vblkfuzz.trace.event import NO_QUEUE
from vblkfuzz.trace.vhost_kinds import VHOST_CONFIG
from vblkfuzz.virtio.vhost_user import BackendRequest

if TYPE_CHECKING:
    from collections.abc import Callable

_TOLD, _DID, _NOT = range(3)
"""Flags of a VHOST_CONFIG."""


class BackendChannel:
    """One channel."""

    def __init__(self, fd: int, tell: Callable[[Told], None]) -> None:
        """Take the file of SET_BACKEND_REQ_FD."""
        self.line: Final = socket.socket(fileno=fd)
        self.ended = False
        """Whether the front-end has closed it."""
        self._tell: Final = tell
        self._asked: list[int] = []
        """Capacity of each change that the front-end has not answered yet."""

    def close(self) -> None:
        """Close it."""
        self.line.close()

    def tell_change(self, sectors: int) -> None:
        """Say that the configuration has changed; ask for an answer."""
        message = HEADER.pack(BackendRequest.CONFIG_CHANGE_MSG, VERSION | FLAG_NEED_REPLY, 0)
        with suppress(OSError):  # the front-end has closed it
            self.line.sendall(message)
            self._asked.append(sectors)
            self._say(_TOLD, sectors)

    def hear(self) -> None:
        """Take the answer that has come, or the end of the channel."""
        with suppress(OSError):
            data = self.line.recv(HEADER.size + U64.size, socket.MSG_WAITALL)
            if len(data) == HEADER.size + U64.size and self._asked:
                (status,) = U64.unpack(data[HEADER.size :])
                self._say(_NOT if status else _DID, self._asked.pop(0))
                return
        self.ended = True

    def _say(self, flag: int, sectors: int) -> None:
        self._tell(Told(VHOST_CONFIG, NO_QUEUE, flag, value=sectors))
