"""Dequeues, observed in `avail_event`.

With EVENT_IDX, a back-end built on libvhost-user writes last_avail into this field of the used ring
in every dequeue (source: libvhost-user vu_queue_pop), so the field counts dequeues exactly. Virtio
devices inside QEMU and other back-ends do not do that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.driver.memory_map import ring_layout
from vblkfuzz.targets.dequeue import Dequeue
from vblkfuzz.trace.event import ActorId

if TYPE_CHECKING:
    from vblkfuzz.scenario.device import DeviceConfig
    from vblkfuzz.virtio.memory import GuestMemory

_HALF: Final = 0x8000


class AvailEvents:
    """The fields of all rings that a scenario may use, and their last values."""

    def __init__(self, memory: GuestMemory, config: DeviceConfig, actor: ActorId) -> None:
        """Begin with zeroed memory; `actor` is the thread that serves the queues."""
        self._u16 = memory.u16
        self._actor = actor
        self._fields = [
            (queue, ring_layout(queue, config.queue_size, bank).avail_event >> 1)
            for queue in range(config.queues)
            for bank in (0, 1)
        ]
        self._first = config.first_index
        self._last: list[int | None] = [None] * len(self._fields)
        """None: the driver has not set the ring up, so the field does not count yet."""

    def dequeues(self) -> list[Dequeue]:
        """Return the dequeues since the last call, queue by queue.

        If a field has decreased, the driver has set it to the first index for new rings.
        """
        found = []
        for place, (queue, field) in enumerate(self._fields):
            now, last = self._u16[field], self._last[place]
            if now == last:
                continue
            if last is None:
                self._last[place] = now if now == self._first else None
                continue
            count = now - last & 0xFFFF
            if count >= _HALF:
                count = now - self._first & 0xFFFF
            found += [Dequeue(queue, self._actor)] * count
            self._last[place] = now
        return found
