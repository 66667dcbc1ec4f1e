"""What the guest driver finds in used entries: status, length, the data of a read, the device id.

It does not trust the device: a used entry without an outstanding request is recorded as foreign.
Next: `trace.sector_data`, which says whose data is in a buffer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.driver.request import id_in, is_poison
from vblkfuzz.limits import MAX_COLLECTED, SECTOR_SIZE
from vblkfuzz.trace.ending import ABORTED, ENDED_OK, ENDED_UNSUPP, FOREIGN, NO_STATUS, RETRY
from vblkfuzz.trace.event import UNTOUCHED, ActorId
from vblkfuzz.trace.kinds import COLLECT, DEVICE_ID, SECTOR, USED_FLAGS
from vblkfuzz.trace.sector_data import UNWRITTEN, described

if TYPE_CHECKING:
    from vblkfuzz.driver.guest_queue import GuestQueue
    from vblkfuzz.driver.memory_map import Slot
    from vblkfuzz.driver.memory_watch import MemoryWatch
    from vblkfuzz.driver.request import RequestForm
    from vblkfuzz.driver.sent import Sent
    from vblkfuzz.driver.transport import Transport
    from vblkfuzz.trace.ring import TraceRing
    from vblkfuzz.virtio.memory import GuestMemory

_REFUSED: Final = 5
"""Flag of a DEVICE_ID."""
_TELLS_NOTHING: Final = (NO_STATUS, RETRY, ABORTED)
"""Endings after which the buffers of a read are not looked at."""
_ACTOR: Final = int(ActorId.GUEST)
"""The actor of all its events."""


class Answers:
    """Takes used entries and frees their requests."""

    def __init__(
        self,
        memory: GuestMemory,
        form: RequestForm,
        transport: Transport,
        watch: MemoryWatch,
        ring: TraceRing,
    ) -> None:
        self._memory = memory
        self._form = form
        self._transport = transport
        self._watch = watch
        self._ring = ring

    def take(self, queue: GuestQueue) -> None:
        """Look at the flags, then take all used entries of a queue, at most `MAX_COLLECTED`."""
        flags = queue.ring.wrong_flags()
        if flags:
            self._ring.emit(USED_FLAGS, _ACTOR, queue.index, value=flags)
        for _ in range(MAX_COLLECTED):
            used = queue.ring.get_used()
            if used is None:
                return
            self._take_one(queue, *used)

    def _take_one(self, queue: GuestQueue, head: int, length: int) -> None:
        if head in queue.again:
            self._record(queue, head, length, self._ending(queue.sent[head].slot))
        elif not queue.ring.release(head):
            self._record(queue, head, length, FOREIGN)
        else:
            sent = queue.sent.pop(head)
            queue.free_slots.append(sent.slot)
            if sent.shaped:
                self._straighten(sent)
            flag = self._ending(sent.slot)
            self._record(queue, head, length, flag)
            if flag == ENDED_OK:
                self._record_content(queue, sent)
            elif flag == ENDED_UNSUPP and sent.names:
                self._ring.emit(
                    DEVICE_ID, _ACTOR, queue.index, _REFUSED, self._transport.known_id()
                )
            elif sent.read is not None and flag not in _TELLS_NOTHING:
                announced = length - self._form.status_size
                self._record_unwritten(queue, sent.slot, *sent.read, announced)
            self._watch.take_back((queue.index, head))

    def _straighten(self, sent: Sent) -> None:
        """Move the answer of a request to where that of a plain request is."""
        self._watch.look()
        self._form.straighten(self._memory, sent.slot, sent.buffers)
        self._watch.wrote(sent.area)

    def _ending(self, slot: Slot) -> int:
        return self._form.ending(self._memory, slot)

    def _record(self, queue: GuestQueue, head: int, length: int, flag: int) -> None:
        index, used = queue.index, queue.ring.last_used
        self._ring.emit(COLLECT, _ACTOR, index, flag, head & 0xFFFF, 0, 0, used, length=length)

    def _record_content(self, queue: GuestQueue, sent: Sent) -> None:
        if sent.read is not None:
            self._record_sectors(queue, sent.slot, *sent.read)
        elif sent.names:
            self._record_id(queue, sent.slot)

    def _record_sectors(self, queue: GuestQueue, slot: Slot, sector: int, more: int) -> None:
        """Record the data that a read found in each sector."""
        found = self._memory.read(slot.data, (more + 1) * SECTOR_SIZE)
        for number in range(more + 1):
            start = number * SECTOR_SIZE
            data, mixed = described(found[start : start + SECTOR_SIZE], sector + number)
            self._ring.emit(SECTOR, _ACTOR, queue.index, mixed, sector + number, 0, 0, data)

    def _record_unwritten(
        self, queue: GuestQueue, slot: Slot, sector: int, more: int, announced: int
    ) -> None:
        """Record each sector of which a failed read has written no byte, but announces some."""
        for number in range(more + 1):
            start = slot.data + number * SECTOR_SIZE
            size = min(announced - number * SECTOR_SIZE, SECTOR_SIZE)
            if size > 0 and is_poison(self._memory.read(start, size)):
                place = sector + number
                self._ring.emit(SECTOR, _ACTOR, queue.index, UNWRITTEN, place, 0, 0, UNTOUCHED)

    def _record_id(self, queue: GuestQueue, slot: Slot) -> None:
        """Record the id that a GET_ID found, and the one that the device is known to have."""
        digest, flag = id_in(self._memory, self._form.id_at(slot))
        known = self._transport.known_id()
        self._ring.emit(DEVICE_ID, _ACTOR, queue.index, flag, known, value=digest)
