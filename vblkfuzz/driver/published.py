"""What the driver made available, for those who cannot read that in memory later on.

A device overwrites the descriptors of a packed ring with used ones, in any order. So the guest
process of a real device tells what it published; of a split ring, too: then there is one way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vblkfuzz.trace.kinds import PUBLISH

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vblkfuzz.driver.guest_queue import GuestQueue
    from vblkfuzz.driver.request import Segments
    from vblkfuzz.trace.event import Event


class Published(NamedTuple):
    """A request that the driver made available."""

    head: int
    """As the device gets it, which may be a wrong one."""
    span: int
    """Descriptors of a packed ring that its chain takes; 0 in a split ring."""
    writable: Segments
    """Buffers that the device may write; empty if the chain is broken."""


def published_in(events: Iterable[Event], queues: Sequence[GuestQueue]) -> list[Published]:
    """Return what each PUBLISH of some events is about, while the driver has collected none of it.

    Args:
        events: of the driver.
        queues: its queues.
    """
    return [_published(queues[one.queue], one.head) for one in events if one.kind == PUBLISH]


def _published(queue: GuestQueue, head: int) -> Published:
    sent = queue.sent.get(head)
    writable = () if sent is None or sent.broken else sent.buffers.writable
    return Published(head, queue.ring.span(head), writable)
