"""The event queue of virtio-scsi: the driver's buffers, and what the device tells in them.

As Linux does (virtscsi_kick_event_all), the driver makes all buffers available once the device is
set up, and each one again when it has read it.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from vblkfuzz.driver.memory_map import EVENT_SLOTS, side_area
from vblkfuzz.driver.request import Segmented
from vblkfuzz.driver.sent import Sent
from vblkfuzz.trace.event import ActorId
from vblkfuzz.trace.scsi_kinds import EVENTS_READY, SCSI_EVENT
from vblkfuzz.virtio.request.scsi_event import EMPTY, EVENT_SIZE, event_in

if TYPE_CHECKING:
    from vblkfuzz.driver.memory_map import Slot
    from vblkfuzz.driver.memory_watch import MemoryWatch
    from vblkfuzz.driver.transport import Transport
    from vblkfuzz.trace.ring import TraceRing
    from vblkfuzz.virtio.memory import GuestMemory
    from vblkfuzz.virtio.queue import DriverQueue

_ACTOR: Final = int(ActorId.GUEST)
"""The actor of all its events."""


class EventQueue:
    """The queue; before `start` and after `forget` all it does is nothing."""

    def __init__(
        self, memory: GuestMemory, transport: Transport, watch: MemoryWatch, ring: TraceRing
    ) -> None:
        self._memory, self._transport = memory, transport
        self._watch, self._ring = watch, ring
        self._queue: DriverQueue | None = None
        self._number = 0
        self._lent: dict[int, Slot] = {}
        """Buffers that the device may write, by head."""
        self._ready = False
        """Whether the device knows of them."""

    def start(self, number: int, queue: DriverQueue) -> None:
        """Take the rings of queue `number`, which are set up, before DRIVER_OK."""
        self._number, self._queue = number, queue
        self._lent, self._ready = {}, False
        for slot in EVENT_SLOTS:
            self._lend(queue, slot)

    def forget(self) -> None:
        """Note that a reset has ended all."""
        self._queue, self._lent, self._ready = None, {}, False

    def ready(self) -> None:
        """Tell the device of the buffers: it is set up."""
        if self._queue is not None:
            self._ready = True
            self._kick(self._queue)

    def take(self) -> None:
        """Read the events that the device has told, and give their buffers back to it."""
        queue = self._queue
        if queue is None or not self._ready:
            return
        free: list[Slot] = []
        while self._lent and (used := queue.get_used()) is not None:
            head, length = used
            if not queue.release(head):
                break
            slot = self._lent.pop(head)
            self._tell(slot, length)
            self._watch.take_back((self._number, head))
            free.append(slot)
        for slot in free:
            self._lend(queue, slot)
        if free:
            self._kick(queue)

    def _tell(self, slot: Slot, length: int) -> None:
        found = event_in(self._memory.read(slot.header, EVENT_SIZE), length)
        what = self._number, found.kind, found.unit
        self._ring.emit(SCSI_EVENT, _ACTOR, *what, value=found.reason, length=int(found.missed))

    def _lend(self, queue: DriverQueue, slot: Slot) -> None:
        self._watch.look_at(self._number, side_area(slot))
        self._memory.write(slot.header, EMPTY)
        buffers = Segmented((), ((slot.header, EVENT_SIZE),))
        head = queue.add(*buffers)
        queue.publish_raw(head)
        self._watch.lend((self._number, head), Sent(slot, buffers, None, side_area(slot)))
        self._lent[head] = slot

    def _kick(self, queue: DriverQueue) -> None:
        self._ring.emit(EVENTS_READY, _ACTOR, self._number, value=len(self._lent))
        if queue.needs_kick():
            deque(self._transport.kick(self._number), maxlen=0)  # no step of the schedule
