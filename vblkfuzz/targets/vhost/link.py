"""The link between the process that starts a back-end and the guest process that speaks to it.

Connections go one way: made by the fuzz process, which keeps its fd to see when the back-end closes
one; the guest takes the next one when its own is dead and the driver resets the device. The
other way goes one word of shared memory: whether the guest has a connection that works.
"""

from __future__ import annotations

import mmap
import select
import socket
from contextlib import suppress
from typing import Final


class Link:
    """Made before the guest process is forked; both sides use the same object's copies."""

    def __init__(self) -> None:
        self._to_guest, self._from_rig = socket.socketpair(
            socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK
        )
        self._word: Final = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("I")
        self._watched: socket.socket | None = None
        self._end = select.poll()
        """Of the connection that is watched."""

    # --- The side that starts the back-end ----------------------------------------------------

    def watch(self, connection: socket.socket) -> None:
        """Keep a connection that the guest gets otherwise; it is closed by the link."""
        self.forget()
        self._watched = connection
        self._end.register(connection, select.POLLRDHUP)

    def offer(self, connection: socket.socket) -> None:
        """Let the guest take another connection when it needs one."""
        self.watch(connection)
        socket.send_fds(self._to_guest, [b"\0"], [connection.fileno()])

    def forget(self) -> None:
        """Close our side's fd of the connection, and take back what the guest has not taken."""
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
        """Whether the guest can use the device."""
        return bool(self._word[0])

    def close(self) -> None:
        """Close everything."""
        self.forget()
        self._to_guest.close()
        self._from_rig.close()

    # --- The guest's side ---------------------------------------------------------------------

    def tell(self, works: bool) -> None:
        """Say whether there is a connection that works."""
        self._word[0] = works

    def take(self) -> socket.socket | None:
        """Return the connection that was offered, None if there is none."""
        with suppress(BlockingIOError):
            _, fds, _, _ = socket.recv_fds(self._from_rig, 1, 1)
            return socket.socket(fileno=fds[0])
        return None
