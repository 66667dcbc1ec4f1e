"""A new connection to a vhost-user back-end in place of the old one: the rig's side of `replug`.

The front-end closes its connection as it is, without GET_VRING_BASE, as one that has crashed. The
back-end answers on the next connection after it has finished with the last one: from that answer on
it must not use the memory that the old one has shared. Next: `port.VhostUserPort.replace`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.targets.handover import Handover
from vblkfuzz.targets.replug import tell_unplug, tell_unplugged
from vblkfuzz.targets.vhost.renewal import Renewal

if TYPE_CHECKING:
    from collections.abc import Callable

    from vblkfuzz.targets.recorder import Recorder


class Reconnection(Renewal):
    """Replaces the connection as one that has crashed."""

    def begin(self, recorder: Recorder, between: Callable[[], object] | None = None) -> Handover:
        """Let the front-end close its connection, and connect again.

        Args:
            recorder: gets the events.
            between: called when the old connection is closed and there is no new one.

        Raises:
            DeviceLost: the back-end accepts no connection.
        """
        tell_unplug(recorder, self._dequeues)

        def closed() -> Handover:
            self._link.forget()  # the back-end sees the end when no process has the connection
            if between is not None:
                between()
            return self.plug(recorder)

        return Handover((), closed, new=True)

    def plug(self, recorder: Recorder) -> Handover:
        """Let the front-end use a new connection, when it has told of the unplug.

        Raises:
            DeviceLost: the back-end accepts no connection.
        """
        connections = self._renew()

        def answered() -> None:
            tell_unplugged(recorder, self._dequeues)

        return Handover(connections, answered, new=True)
