"""Where a queue begins or goes on: the number of SET_VRING_BASE and GET_VRING_BASE.

Of a split ring it is the next index of the available ring, u16. Of a packed ring it has two places,
each an offset with the wrap counter above it: in bits 0 to 15 that of the next descriptor to take,
in bits 16 to 31 that of the next one to return ("Vhost-user Protocol", "Vring descriptor indices
for packed virtqueues").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.virtio.packed.device_queue import DeviceQueue as PackedQueue
from vblkfuzz.virtio.packed.layout import RingLayout as PackedLayout
from vblkfuzz.virtio.queue import Progress

if TYPE_CHECKING:
    from vblkfuzz.virtio.queue import Areas
    from vblkfuzz.virtio.queue import DeviceQueue as AnyQueue

_U16: Final = 0xFFFF


def base_of(layout: Areas, first: int) -> int:
    """Return the base of a ring that driver and device begin at position `first`."""
    if not isinstance(layout, PackedLayout):
        return first
    place = layout.off_wrap(first % layout.places)
    return place << 16 | place


def base_at(queue: AnyQueue) -> int:
    """Return where a queue is: the answer to GET_VRING_BASE."""
    progress = queue.progress()
    return queue.last_avail if progress is None else progress.used << 16 | progress.avail


def go_on_at(queue: AnyQueue, base: int) -> None:
    """Let a queue that is set up go on at a base; what was taken from a packed ring stays out."""
    if isinstance(queue, PackedQueue):
        queue.go_on_at(0, Progress(base & _U16, base >> 16, 0, ()))
    else:
        queue.go_on_at(base & _U16)
