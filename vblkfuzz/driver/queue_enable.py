"""The driver reads queue_enable after a reset, of all queues or of one (virtio 1.2, 2.6.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.trace.event import ActorId
from vblkfuzz.trace.kinds import ENABLE_READ

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vblkfuzz.driver.guest_queue import GuestQueue
    from vblkfuzz.driver.transport import GuestSteps, Transport
    from vblkfuzz.trace.ring import TraceRing


def read_enable(transport: Transport, ring: TraceRing, queue: GuestQueue) -> None:
    """Read it of a queue that was reset, alone or with its device, and record it."""
    ring.emit(ENABLE_READ, ActorId.GUEST, queue.index, transport.queue_enabled(queue.index))


def reset_alone(
    transport: Transport, ring: TraceRing, queues: Iterable[GuestQueue], queue: GuestQueue
) -> GuestSteps:
    """Reset one queue and read it of that one; record also which other one it has disabled."""
    others = [each for each in queues if each is not queue and transport.queue_enabled(each.index)]
    yield from transport.reset_queue(queue.index)
    read_enable(transport, ring, queue)
    for other in others:
        if not transport.queue_enabled(other.index):
            read_enable(transport, ring, other)
