"""Writes virtio-blk requests into slots and reads the id in answers (virtio 1.2, 5.2.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.limits import MAX_REQUEST_SECTORS, SECTOR_SIZE
from vblkfuzz.scenario.alphabet.guest import REQUESTS
from vblkfuzz.trace.event import UNTOUCHED
from vblkfuzz.trace.sector_data import written
from vblkfuzz.virtio.blk import (
    DISCARD_SEGMENT,
    HEADER_SIZE,
    ID_SIZE,
    REQUEST_HEADER,
    STATUS_SIZE,
    RequestType,
    id_digest,
)

if TYPE_CHECKING:
    from vblkfuzz.driver.memory_map import Slot
    from vblkfuzz.virtio.memory import GuestMemory

# Looked up once: these are needed some six times an execution (docs/decisions/0010).
_IN, _OUT, _FLUSH, _GET_ID, _DISCARD, _WRITE_ZEROES = RequestType
_CLEARS: Final = (_DISCARD, _WRITE_ZEROES)

Segments = tuple[tuple[int, int], ...]
"""Buffers: guest address and length (bytes) of each."""

STATUS_POISON: Final = 0xFF
"""Value of the status byte before the device writes it; no status of virtio has this value."""
_UNWRITTEN, _CUT, _UNPADDED, _GARBLED = 1, 2, 3, 4
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
_POISON: Final = bytes([UNTOUCHED]) * (MAX_REQUEST_SECTORS * SECTOR_SIZE)
"""Fills the buffer of a read or a GET_ID beforehand; no request writes that byte, no id has it."""


class Segmented(NamedTuple):
    """The buffers of a request, in the order of a chain."""

    readable: Segments
    writable: Segments


def build(
    memory: GuestMemory, slot: Slot, code: int, sector: int, sectors: int, serial: int
) -> Segmented:
    """Write header, data and poison of a request into a slot; return its buffers.

    Args:
        memory: guest memory.
        slot: addresses to use.
        code: request type, a position in `scenario.alphabet.guest.REQUESTS`.
        sector: first sector.
        sectors: length in sectors, for reads, writes, discards and zeroes.
        serial: number of the request, from 1; the data of a write.
    """
    data = memory.bytes
    kind = _BY_CODE[code]
    REQUEST_HEADER.pack_into(data, slot.header, kind, 0, sector)
    data[slot.status] = STATUS_POISON
    header = (slot.header, HEADER_SIZE)
    status = (slot.status, STATUS_SIZE)
    length = sectors * SECTOR_SIZE
    if kind == _IN:
        data[slot.data : slot.data + length] = _POISON[:length]
        return Segmented((header,), ((slot.data, length), status))
    if kind == _OUT:
        data[slot.data : slot.data + length] = written(serial, sector, sectors)
        return Segmented((header, (slot.data, length)), (status,))
    if kind == _GET_ID:
        data[slot.data : slot.data + ID_SIZE] = _POISON[:ID_SIZE]
        return Segmented((header,), ((slot.data, ID_SIZE), status))
    if kind in _CLEARS:
        DISCARD_SEGMENT.pack_into(data, slot.segment, sector, sectors, 0)
        return Segmented((header, (slot.segment, DISCARD_SEGMENT.size)), (status,))
    return Segmented((header,), (status,))


def is_poison(found: bytes | bytearray) -> bool:
    """Return whether a part of a buffer of a read is as `build` left it; at most one sector."""
    return _POISON.startswith(found)


def id_in(memory: GuestMemory, address: int) -> tuple[int, int]:
    """Return the digest of the device id in guest memory, and the flag of its DEVICE_ID event."""
    found = bytes(memory.bytes[address : address + ID_SIZE])
    text, _, padding = found.partition(b"\0")
    if found == _POISON[:ID_SIZE]:
        flag = _UNWRITTEN
    elif UNTOUCHED in text:
        flag = _CUT
    elif padding.strip(b"\0" + bytes([UNTOUCHED])):
        flag = _GARBLED
    else:
        flag = _UNPADDED if UNTOUCHED in padding else 0
    return id_digest(text), flag
