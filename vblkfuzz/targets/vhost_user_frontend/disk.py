"""The disk of the back-end, and the answer to each request (virtio 1.2, 5.2.6)."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.limits import DISK_SECTORS, SECTOR_SIZE
from vblkfuzz.targets.qemu.pci_port import SERIAL
from vblkfuzz.virtio.request.blk import (
    DISCARD_SEGMENT,
    ID_SIZE,
    UNMAP,
    BlkStatus,
    RequestType,
    cleared_sectors,
    gather,
    scatter,
)

if TYPE_CHECKING:
    from vblkfuzz.virtio.memory import GuestMemory
    from vblkfuzz.virtio.request.blk import BlkRequest

_OK, _IOERR, _UNSUPP = BlkStatus
_CLEARS: Final = (RequestType.DISCARD, RequestType.WRITE_ZEROES)
_WRITES: Final = (RequestType.OUT, *_CLEARS)


class Form(NamedTuple):
    """What a front-end reads of a disk once, when its device is made."""

    sectors: int
    """Capacity."""
    read_only: bool


FORMS: Final = tuple(Form(*each) for each in product(DISK_SECTORS, (False, True)))
"""All that a scenario may have."""


class Disk:
    """What outlives a back-end that ends."""

    def __init__(self, form: Form) -> None:
        self.sectors, self.read_only = form
        self._bytes = bytearray(self.sectors * SECTOR_SIZE)

    def clear(self) -> None:
        """Fill the disk with zeroes."""
        self._bytes[:] = bytes(len(self._bytes))

    def execute(self, memory: GuestMemory, request: BlkRequest) -> tuple[BlkStatus, int]:
        """Carry out a request; return its status and the number of bytes written for the driver.

        Raises:
            AddressError: a buffer lies outside guest memory.
        """
        if request.type in _WRITES and self.read_only:
            return _IOERR, 0
        if request.type in _CLEARS:
            return self._clear(memory, request), 0
        if request.type in (RequestType.IN, RequestType.OUT):
            return self._transfer(memory, request)
        if request.type == RequestType.GET_ID:
            answer = SERIAL.encode()[:ID_SIZE].ljust(ID_SIZE, b"\0")
            return _OK, scatter(memory, request.writable, answer)
        return (_OK if request.type == RequestType.FLUSH else _UNSUPP), 0

    def _transfer(self, memory: GuestMemory, request: BlkRequest) -> tuple[BlkStatus, int]:
        start, length = request.sector * SECTOR_SIZE, request.data_length
        if length % SECTOR_SIZE or start + length > len(self._bytes):
            return _IOERR, 0
        if request.type == RequestType.IN:
            data = bytes(self._bytes[start : start + length])
            return _OK, scatter(memory, request.writable, data)
        self._bytes[start : start + length] = gather(memory, request.readable)
        return _OK, 0

    def _clear(self, memory: GuestMemory, request: BlkRequest) -> BlkStatus:
        """As QEMU: one segment, no unknown flags, and no flag unmap for a DISCARD."""
        if request.data_length > DISCARD_SEGMENT.size:
            return _UNSUPP
        first, sectors, flags = cleared_sectors(memory, request)
        if not sectors or first + sectors > self.sectors:
            return _IOERR
        if flags & ~(UNMAP if request.type == RequestType.WRITE_ZEROES else 0):
            return _UNSUPP
        place = slice(first * SECTOR_SIZE, (first + sectors) * SECTOR_SIZE)
        self._bytes[place] = bytes(sectors * SECTOR_SIZE)
        return _OK
