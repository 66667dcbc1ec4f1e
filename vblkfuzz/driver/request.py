"""What the driver needs to know of a kind of device: how requests are written and answers read.

`driver.blk` and `driver.scsi` have a `RequestForm` each; everything else of the driver is common.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from vblkfuzz.limits import MAX_REQUEST_SECTORS, SECTOR_SIZE
from vblkfuzz.trace.event import UNTOUCHED
from vblkfuzz.virtio.request.blk import ID_SIZE, id_digest

if TYPE_CHECKING:
    from vblkfuzz.driver.memory_map import Slot
    from vblkfuzz.virtio.memory import GuestMemory

Segments = tuple[tuple[int, int], ...]
"""Buffers: guest address and length (bytes) of each."""

STATUS_POISON: Final = 0xFF
"""Value of a status before the device writes it; no status has this value."""
_UNWRITTEN, _CUT, _UNPADDED, _GARBLED = 1, 2, 3, 4
POISON: Final = bytes([UNTOUCHED]) * (MAX_REQUEST_SECTORS * SECTOR_SIZE)
"""Fills the buffer of a read or a GET_ID beforehand; no request writes that byte, no id has it."""


class Segmented(NamedTuple):
    """The buffers of a request, in the order of a chain."""

    readable: Segments
    writable: Segments


class RequestForm(Protocol):
    """Requests of one kind of device."""

    status_at: int
    """Index of the writable buffer with the status: the last one (-1) or the first one (0)."""
    status_size: int
    """Bytes of the status."""
    shapes: frozenset[int]
    """Codes of the shapes that its requests can have; with another one they are sent plain."""
    has_capacity: bool
    """Whether the configuration of the device says its capacity."""
    side_queues: tuple[int, ...]
    """Numbers of the queues for control and events, or none; those of requests begin at 0."""

    def build(
        self, memory: GuestMemory, slot: Slot, code: int, sector: int, sectors: int, serial: int
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

    def unit_of(self, sector: int) -> int:
        """Return the logical unit that a request from this sector on is for; 0 without units."""

    def area(self, slot: Slot, sectors: int) -> slice:
        """Return the memory of a slot that a plain request of so many sectors needs."""

    def straighten(self, memory: GuestMemory, slot: Slot, buffers: Segmented) -> None:
        """Move data and status of an answered request to where those of a plain request are."""

    def ending(self, memory: GuestMemory, slot: Slot) -> int:
        """Return the ending (`trace.ending`) that the status of a plain request tells."""

    def status(self, memory: GuestMemory, writable: Segments) -> int:
        """Return the flag of a PUSH, by the status in these writable buffers."""

    def id_at(self, slot: Slot) -> int:
        """Return the address of the id that a GET_ID has asked for."""


def is_poison(found: bytes | bytearray) -> bool:
    """Return whether a part of a buffer of a read is as it was built; at most one sector."""
    return POISON.startswith(found)


def id_in(memory: GuestMemory, address: int) -> tuple[int, int]:
    """Return the digest of the device id in guest memory, and the flag of its DEVICE_ID event."""
    found = bytes(memory.bytes[address : address + ID_SIZE])
    text, _, padding = found.partition(b"\0")
    if found == POISON[:ID_SIZE]:
        flag = _UNWRITTEN
    elif UNTOUCHED in text:
        flag = _CUT
    elif padding.strip(b"\0" + bytes([UNTOUCHED])):
        flag = _GARBLED
    else:
        flag = _UNPADDED if UNTOUCHED in padding else 0
    return id_digest(text), flag
