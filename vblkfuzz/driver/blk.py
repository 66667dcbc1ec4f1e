"""Writes virtio-blk requests into slots and reads their answers (virtio 1.2, 5.2.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.driver.memory_map import plain_area
from vblkfuzz.driver.request import POISON, STATUS_POISON, Segmented
from vblkfuzz.limits import SECTOR_SIZE
from vblkfuzz.scenario.alphabet.guest import REQUESTS
from vblkfuzz.scenario.alphabet.shape import SHAPES
from vblkfuzz.trace.ending import ENDING_OF, NO_STATUS
from vblkfuzz.trace.sector_data import written
from vblkfuzz.virtio.request.blk import (
    DISCARD_SEGMENT,
    HEADER_SIZE,
    ID_SIZE,
    REQUEST_HEADER,
    STATUS_SIZE,
    RequestType,
    gather,
)

if TYPE_CHECKING:
    from vblkfuzz.driver.memory_map import Slot
    from vblkfuzz.driver.request import RequestForm, Segments
    from vblkfuzz.virtio.memory import GuestMemory

# Looked up once: these are needed some six times an execution (docs/decisions/0010).
_IN, _OUT, _FLUSH, _GET_ID, _DISCARD, _WRITE_ZEROES = RequestType
_CLEARS: Final = (_DISCARD, _WRITE_ZEROES)
_UNSUPPORTED: Final = 99

_TYPES: Final = {
    "in": _IN,
    "out": _OUT,
    "flush": _FLUSH,
    "get_id": _GET_ID,
    "discard": _DISCARD,
    "write_zeroes": _WRITE_ZEROES,
    "unsupported": _UNSUPPORTED,
}
_BY_CODE: Final = tuple(int(_TYPES[name]) for name in REQUESTS)


class BlkForm:
    """Satisfies `driver.request.RequestForm`."""

    status_at = -1
    status_size = STATUS_SIZE
    shapes = frozenset(range(len(SHAPES)))
    has_capacity = True
    side_queues: tuple[int, ...] = ()

    def build(
        self, memory: GuestMemory, slot: Slot, code: int, sector: int, sectors: int, serial: int
    ) -> Segmented:
        """Write a request into a slot; see `RequestForm.build`."""
        data = memory.bytes
        kind = _BY_CODE[code]
        REQUEST_HEADER.pack_into(data, slot.header, kind, 0, sector)
        data[slot.status] = STATUS_POISON
        header = (slot.header, HEADER_SIZE)
        status = (slot.status, STATUS_SIZE)
        length = sectors * SECTOR_SIZE
        if kind == _IN:
            data[slot.data : slot.data + length] = POISON[:length]
            return Segmented((header,), ((slot.data, length), status))
        if kind == _OUT:
            data[slot.data : slot.data + length] = written(serial, sector, sectors)
            return Segmented((header, (slot.data, length)), (status,))
        if kind == _GET_ID:
            data[slot.data : slot.data + ID_SIZE] = POISON[:ID_SIZE]
            return Segmented((header,), ((slot.data, ID_SIZE), status))
        if kind in _CLEARS:
            DISCARD_SEGMENT.pack_into(data, slot.segment, sector, sectors, 0)
            return Segmented((header, (slot.segment, DISCARD_SEGMENT.size)), (status,))
        return Segmented((header,), (status,))

    def unit_of(self, sector: int) -> int:
        """Return the only disk."""
        return 0

    def area(self, slot: Slot, sectors: int) -> slice:
        """Return the memory of a slot that a plain request of so many sectors needs."""
        return plain_area(slot, sectors)

    def straighten(self, memory: GuestMemory, slot: Slot, buffers: Segmented) -> None:
        """Move data and status to where those of a plain request are."""
        answer = gather(memory, buffers.writable)
        memory.bytes[slot.status] = answer[-1]
        if len(answer) > STATUS_SIZE:
            memory.bytes[slot.data : slot.data + len(answer) - 1] = answer[:-1]

    def ending(self, memory: GuestMemory, slot: Slot) -> int:
        """Return what the status byte tells."""
        return ENDING_OF.get(memory.bytes[slot.status], NO_STATUS)

    def status(self, memory: GuestMemory, writable: Segments) -> int:
        """Return the last writable byte."""
        address, length = writable[-1]
        return memory.bytes[address + length - 1]

    def id_at(self, slot: Slot) -> int:
        """Return the address of the data."""
        return slot.data


BLK: Final[RequestForm] = BlkForm()
