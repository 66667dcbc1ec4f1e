"""The link between the fuzz process, which starts a back-end, and the guest process, which uses it.

Connections are passed to the guest. The fuzz process makes them and keeps an fd of each to notice
when the back-end closes it. The guest takes the next connection when the last one is dead and the
driver resets the device. In the other direction there is one word of shared memory: whether the
guest has a working connection.
"""

from __future__ import annotations

import mmap
import select
import socket
from contextlib import suppress
from typing import Final


class Link:
    """Created before the guest process is forked; each side uses its copy of the object."""

    def __init__(self) -> None:
        self._to_guest, self._from_rig = socket.socketpair(
            socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK
        )
        self._word: Final = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("I")
        self._watched: socket.socket | None = None
        self._end = select.poll()
        """Polls for the end of the watched connection."""

    # --- The side that starts the back-end ----------------------------------------------------

    def watch(self, connection: socket.socket) -> None:
        """Watch a connection that the guest gets by other means; the link closes it."""
        self.forget()
        self._watched = connection
        self._end.register(connection, select.POLLRDHUP)

    def offer(self, connection: socket.socket) -> None:
        """Watch another connection and pass it to the guest, which may `take` it."""
        self.watch(connection)
        socket.send_fds(self._to_guest, [b"\0"], [connection.fileno()])

    def forget(self) -> None:
        """Close this side's fd of the connection, and one that the guest has not taken."""
        if self._watched is not None:
            self._end.unregister(self._watched)
            self._watched.close()
            self._watched = None
        spare = self.take()
        if spare is not None:
            spare.close()

    @property
    def is_cut(self) -> bool:
        """Whether the back-end has closed the connection."""
        return bool(self._end.poll(0))

    @property
    def works(self) -> bool:
        """Whether the guest has a working connection."""
        return bool(self._word[0])

    def close(self) -> None:
        """Close everything."""
        self.forget()
        self._to_guest.close()
        self._from_rig.close()

    # --- The guest's side ---------------------------------------------------------------------

    def tell(self, works: bool) -> None:
        """Report whether there is a working connection."""
        self._word[0] = works

    def take(self) -> socket.socket | None:
        """Return the connection that was offered; None if there is none."""
        with suppress(BlockingIOError):
            _, fds, _, _ = socket.recv_fds(self._from_rig, 1, 1)
            return socket.socket(fileno=fds[0])
        return None
