"""What replaces the connection of a scenario by a new one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.errors import DeviceLost
from vblkfuzz.targets.vhost.fault import BackendGone

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

    from vblkfuzz.targets.dequeue import Dequeue
    from vblkfuzz.targets.hold import Hold
    from vblkfuzz.targets.vhost.link import Link


class Renewal:
    """Makes new connections; one for each scenario."""

    def __init__(
        self,
        link: Link,
        connect: Callable[[], socket.socket],
        dequeues: Callable[[], Sequence[Dequeue | Hold]],
    ) -> None:
        """Begin on the connection that `link` watches.

        Args:
            link: to the guest process.
            connect: makes a new connection to the back-end.
            dequeues: as in `targets.real.Rig`.
        """
        self._link = link
        self._connect = connect
        self._dequeues = dequeues

    def _renew(self) -> Sequence[int]:
        """Return a new connection, which `link` watches from now on.

        Raises:
            DeviceLost: the back-end accepts none.
        """
        try:
            connection = self._connect()
        except BackendGone as gone:
            raise DeviceLost(str(gone)) from None
        self._link.watch(connection)
        return (connection.fileno(),)
