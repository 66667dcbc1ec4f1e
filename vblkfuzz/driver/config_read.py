"""The driver reads the configuration of the device (virtio 1.2, 2.5.1 and 5.2.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.driver.transport import POINT
from vblkfuzz.trace.event import ActorId
from vblkfuzz.trace.kinds import CONFIG_READ

if TYPE_CHECKING:
    from vblkfuzz.driver.transport import GuestSteps, Transport
    from vblkfuzz.trace.ring import TraceRing

_MAX_CONFIG_READS: Final = 8
"""Attempts to read the configuration without a change during the read."""
_MOST: Final = 0xFFFF
"""Sectors that an event can say: what is beyond is beyond any disk of a scenario."""


def read_config(transport: Transport, ring: TraceRing) -> GuestSteps:
    """Read the capacity until the generation stays the same during a read, and record it."""
    for _ in range(_MAX_CONFIG_READS):
        yield POINT
        before = transport.config_generation()
        yield POINT
        capacity = min(transport.capacity(), _MOST)
        yield POINT
        if transport.config_generation() == before:
            ring.emit(CONFIG_READ, ActorId.GUEST, head=before & 0xFFFF, value=capacity)
            return
