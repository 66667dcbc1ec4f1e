"""The driver sets the cache mode of the disk, the field `writeback` (virtio 1.2, 5.2.4, 5.2.6.2).

`GuestDriver` has this operation. A driver that has not accepted F_FLUSH has no use for a write-back
cache, so it does not set the mode; nor does one without F_CONFIG_WCE, which must not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from vblkfuzz.driver.transport import POINT
from vblkfuzz.trace.event import NO_QUEUE, ActorId
from vblkfuzz.trace.kinds import WRITEBACK, WRITEBACK_READ
from vblkfuzz.virtio.blk import F_CONFIG_WCE, F_FLUSH

if TYPE_CHECKING:
    from collections.abc import Callable

    from vblkfuzz.driver.transport import GuestSteps, Transport
    from vblkfuzz.scenario.op import Op

_NEEDED: Final = 1 << F_CONFIG_WCE | 1 << F_FLUSH


class CacheMode:
    """The part of a driver that sets the cache mode."""

    actor: ClassVar = ActorId.GUEST
    _transport: Transport
    _emit: Callable[..., None]
    _features: int
    _set_up: bool

    def writeback(self, operation: Op) -> GuestSteps:
        """Write the cache mode into the configuration, and read it back."""
        if not self._set_up or self._features & _NEEDED != _NEEDED:
            return
        mode = operation.a
        self._emit(WRITEBACK, self.actor, NO_QUEUE, mode)
        yield from self._transport.set_writeback(mode)
        yield POINT
        found = self._transport.writeback()
        if found is not None:
            self._emit(WRITEBACK_READ, self.actor, NO_QUEUE, mode, 0, 0, 0, found)
