"""A process of ours beside the device, which serves it: the disk, or a back-end.

It gets commands on a socket and answers each after it and all that arrived before are handled.
"""

from __future__ import annotations

import os
import socket
from contextlib import contextmanager
from struct import Struct
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import ActorDied
from vblkfuzz.process.forked import Forked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ORDER: Final = Struct("<BBBx")
"""A command: its number, and two arguments."""


class ServerProcess:
    """The fuzz process's handle on one.

    Start it before there are threads and before there are connections that it must not inherit.
    """

    def __init__(self, what: str, serve: Callable[[socket.socket], None]) -> None:
        """Say what it is, in a word or two, and what runs in it, on its end of the socket."""
        self._ended: Final = f"the {what} process has ended"
        self._forked: Final = Forked(serve)

    def start(self) -> None:
        """Fork the process; it ends when the calling thread ends."""
        self._forked.start()

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

    def order(self, order: int, first: int = 0, second: int = 0, fds: Sequence[int] = ()) -> None:
        """Send a command and wait until it and all that arrived before are handled.

        Raises:
            ActorDied: the process has ended.
        """
        with self.carrying_out(order, first, second, fds):
            pass

    @contextmanager
    def carrying_out(
        self, order: int, first: int = 0, second: int = 0, fds: Sequence[int] = ()
    ) -> Iterator[None]:
        """As `order`, but the caller's block runs while the process works.

        Raises:
            ActorDied: the process has ended.
        """
        line = self._forked.line
        try:
            socket.send_fds(line, [ORDER.pack(order, first, second)], list(fds))
        except OSError:
            raise ActorDied(self._ended) from None
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
            raise ActorDied(self._ended)
