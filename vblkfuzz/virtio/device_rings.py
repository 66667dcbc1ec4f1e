"""Both forms of one queue of the device; the features that the driver accepts decide (2.6).

QEMU has one VirtQueue for both. Here each form is a class, and only one of the two is ready at a
time. A driver may use the other form after a reset: one that does not negotiate, a split ring.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from vblkfuzz.virtio.layout import F_EVENT_IDX, F_INDIRECT_DESC, F_RING_PACKED, RingLayout
from vblkfuzz.virtio.packed import device_queue as packed_rings
from vblkfuzz.virtio.packed.layout import RingLayout as PackedLayout
from vblkfuzz.virtio.queue import Areas, DeviceQueue
from vblkfuzz.virtio.split import device_queue as split

_split_layout = lru_cache(maxsize=64)(RingLayout)
_packed_layout = lru_cache(maxsize=64)(PackedLayout)
"""Cached: a driver uses the same few layouts again and again."""

Places = tuple[int, int, int, int]
"""Queue size, and the addresses of descriptor, driver and device area."""


class DeviceRings:
    """The queues of both forms."""

    __slots__ = ("_make_packed", "_packed", "_split", "areas")

    def __init__(
        self, split_queue: split.DeviceQueue, make_packed: Callable[[], packed_rings.DeviceQueue]
    ) -> None:
        """Take the queue for split rings; the other is made when a driver first needs it."""
        self._split = split_queue
        self._make_packed = make_packed
        self._packed: packed_rings.DeviceQueue | None = None
        self.areas: Areas | None = None
        """Size and addresses of the ring set up last."""

    def set_up(self, places: Places, features: int) -> DeviceQueue:
        """Return the queue of the negotiated form, which uses the ring at these addresses.

        Raises:
            RingError: size, alignment or address of the ring is wrong.
        """
        event_idx = bool(features >> F_EVENT_IDX & 1)
        indirect = bool(features >> F_INDIRECT_DESC & 1)
        if features >> F_RING_PACKED & 1:
            queue = self._packed = self._packed or self._make_packed()
            packed = _packed_layout(*places)
            queue.set_up(packed, event_idx=event_idx, indirect=indirect)
            self.areas = packed
            return queue
        split_layout = _split_layout(*places)
        self._split.set_up(split_layout, event_idx=event_idx, indirect=indirect)
        self.areas = split_layout
        return self._split
