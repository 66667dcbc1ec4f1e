"""What the guest driver finds in used entries: status, length, the data of a read, the device id.

It does not trust the device: a used entry without an outstanding request is recorded as foreign.
Next: `request`, which says what is in a buffer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from vblkfuzz.driver.memory_map import AREAS, Slot
from vblkfuzz.driver.request import data_in, id_in
from vblkfuzz.driver.shape import straighten
from vblkfuzz.limits import SECTOR_SIZE
from vblkfuzz.trace.event import ActorId
from vblkfuzz.trace.kinds import COLLECT, DEVICE_ID, SECTOR, USED_FLAGS

if TYPE_CHECKING:
    from vblkfuzz.driver.guest_queue import GuestQueue
    from vblkfuzz.driver.memory_watch import MemoryWatch
    from vblkfuzz.driver.transport import Transport
    from vblkfuzz.trace.ring import TraceRing
    from vblkfuzz.virtio.memory import GuestMemory

_STATUS_OK, _FOREIGN, _NO_STATUS = 0, 1, 4
_FLAG_OF_STATUS: Final = {0: _STATUS_OK, 1: 2, 2: 3}
"""Flag of a COLLECT, by the status byte of its request."""
_MOST: Final = 64
"""Used entries taken in one operation: a wrong used idx must not make the loop endless."""


class Answers:
    """Takes used entries and frees their requests."""

    actor: ClassVar = ActorId.GUEST
    """The actor of all its events."""

    def __init__(
        self, memory: GuestMemory, transport: Transport, watch: MemoryWatch, ring: TraceRing
    ) -> None:
        self._memory = memory
        self._transport = transport
        self._watch = watch
        self._emit = ring.emit

    def take(self, queue: GuestQueue) -> None:
        """Look at the flags, then take all used entries of a queue, at most `_MOST`."""
        if queue.ring.event_idx and (flags := queue.ring.used_flags()):
            self._emit(USED_FLAGS, self.actor, queue.index, value=flags)
        for _ in range(_MOST):
            used = queue.ring.get_used()
            if used is None:
                return
            self._take_one(queue, *used)

    def _take_one(self, queue: GuestQueue, head: int, length: int) -> None:
        if head in queue.again:
            self._record(queue, head, length, self._flag(queue.slot_of[head]))
        elif not queue.ring.release(head):
            self._record(queue, head, length, _FOREIGN)
        else:
            slot = self._free(queue, head)
            flag = self._flag(slot)
            self._record(queue, head, length, flag)
            self._record_content(queue, head, slot, ended_ok=flag == _STATUS_OK)
            self._watch.take_back((queue.index, head))

    def _free(self, queue: GuestQueue, head: int) -> Slot:
        """Free the slot of a request; its answer is then where that of a plain request is."""
        slot = queue.slot_of.pop(head)
        queue.free_slots.append(slot)
        if head in queue.shaped:
            self._watch.look()
            straighten(self._memory, slot, queue.shaped.pop(head))
            self._watch.wrote(AREAS[slot.header])
        return slot

    def _flag(self, slot: Slot) -> int:
        return _FLAG_OF_STATUS.get(self._memory.bytes[slot.status], _NO_STATUS)

    def _record(self, queue: GuestQueue, head: int, length: int, flag: int) -> None:
        index, used = queue.index, queue.ring.last_used
        self._emit(COLLECT, self.actor, index, flag, head & 0xFFFF, 0, 0, used, length=length)

    def _record_content(self, queue: GuestQueue, head: int, slot: Slot, *, ended_ok: bool) -> None:
        if head in queue.reads:
            read = queue.reads.pop(head)
            if ended_ok:
                self._record_sectors(queue, slot, *read)
        elif head in queue.ids:
            queue.ids.remove(head)
            if ended_ok:
                self._record_id(queue, slot)

    def _record_sectors(self, queue: GuestQueue, slot: Slot, sector: int, more: int) -> None:
        """Record the data that a read found in each sector."""
        for number in range(more + 1):
            data, mixed = data_in(self._memory, slot.data + number * SECTOR_SIZE)
            self._emit(SECTOR, self.actor, queue.index, mixed, sector + number, 0, 0, data)

    def _record_id(self, queue: GuestQueue, slot: Slot) -> None:
        """Record the id that a GET_ID found, and the one that the device is known to have."""
        digest, flag = id_in(self._memory, slot.data)
        known = self._transport.known_id()
        self._emit(DEVICE_ID, self.actor, queue.index, flag, known, value=digest)
