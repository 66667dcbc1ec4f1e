"""The driver sets the cache mode, the field `writeback` (virtio 1.2, 5.2.4, 5.2.6.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.driver.transport import POINT
from vblkfuzz.trace.event import NO_QUEUE, ActorId
from vblkfuzz.trace.kinds import WRITEBACK, WRITEBACK_READ
from vblkfuzz.virtio.blk import F_CONFIG_WCE, F_FLUSH

if TYPE_CHECKING:
    from vblkfuzz.driver.transport import GuestSteps, Transport
    from vblkfuzz.trace.ring import TraceRing

_NEEDED: Final = 1 << F_CONFIG_WCE | 1 << F_FLUSH


def may_set_cache_mode(features: int) -> bool:
    """Return whether a driver with these features sets the cache mode.

    One without F_CONFIG_WCE must not, and one without F_FLUSH has no use for a write-back cache.
    """
    return features & _NEEDED == _NEEDED


def set_cache_mode(transport: Transport, ring: TraceRing, mode: int) -> GuestSteps:
    """Write the cache mode into the configuration, read it back, and record both."""
    ring.emit(WRITEBACK, ActorId.GUEST, NO_QUEUE, mode)
    yield from transport.set_writeback(mode)
    yield POINT
    found = transport.writeback()
    if found is not None:
        ring.emit(WRITEBACK_READ, ActorId.GUEST, NO_QUEUE, mode, 0, 0, 0, found)
