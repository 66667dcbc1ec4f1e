"""Where a queue begins or goes on: the number of SET_VRING_BASE and GET_VRING_BASE.

Of a split ring it is the next index of the available ring, u16. Of a packed ring it has two places,
each an offset with the wrap counter above it: in bits 0 to 15 that of the next descriptor to take,
in bits 16 to 31 that of the next one to return ("Vhost-user Protocol", "Vring descriptor indices
for packed virtqueues").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.virtio.packed.layout import RingLayout as PackedLayout

if TYPE_CHECKING:
    from vblkfuzz.virtio.queue import Areas


def base_of(layout: Areas, first: int) -> int:
    """Return the base of a ring that driver and device begin at position `first`."""
    if not isinstance(layout, PackedLayout):
        return first
    place = layout.off_wrap(first % layout.places)
    return place << 16 | place
