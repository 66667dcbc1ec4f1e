"""The driver sets the cache mode, the field `writeback` (virtio 1.2, 5.2.4, 5.2.6.2).

It reads the field at once, and again when all has settled: the mode belongs to the device, so it
must outlive a drain, a stop and a migration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.driver.transport import POINT
from vblkfuzz.trace.event import NO_QUEUE, ActorId
from vblkfuzz.trace.kinds import WRITEBACK, WRITEBACK_READ
from vblkfuzz.virtio.request.blk import F_CONFIG_WCE, F_FLUSH

if TYPE_CHECKING:
    from vblkfuzz.driver.transport import GuestSteps, Transport
    from vblkfuzz.trace.ring import TraceRing

_NEEDED: Final = 1 << F_CONFIG_WCE | 1 << F_FLUSH


def may_set_cache_mode(features: int) -> bool:
    """Return whether a driver with these features sets the cache mode.

    One without F_CONFIG_WCE must not, and one without F_FLUSH has no use for a write-back cache.
    """
    return features & _NEEDED == _NEEDED


class CacheMode:
    """The cache mode that the driver has chosen since it has set the device up, if any."""

    def __init__(self, transport: Transport, ring: TraceRing) -> None:
        self._transport = transport
        self._ring = ring
        self._chosen: int | None = None

    def forget(self) -> None:
        """Note a reset: the device may choose any mode."""
        self._chosen = None

    def choose(self, mode: int) -> GuestSteps:
        """Write the mode into the configuration, read it back, and record both."""
        self._ring.emit(WRITEBACK, ActorId.GUEST, NO_QUEUE, mode)
        yield from self._transport.set_writeback(mode)
        yield POINT
        self._chosen = mode
        self.read()

    def read(self) -> None:
        """Read the mode if the driver has chosen one, and record it."""
        if self._chosen is not None:
            found = self._transport.writeback()
            if found is not None:
                self._ring.emit(
                    WRITEBACK_READ, ActorId.GUEST, NO_QUEUE, self._chosen, 0, 0, 0, found
                )
