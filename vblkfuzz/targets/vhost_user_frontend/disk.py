"""The disk of the back-end, and the answer to each request (virtio 1.2, 5.2.6)."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.limits import DISK_SECTORS, SECTOR_SIZE
from vblkfuzz.targets.qemu.qtest_port import SERIAL
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
_TRANSFERS: Final = (RequestType.IN, RequestType.OUT)
_WRITES: Final = (RequestType.OUT, *_CLEARS)


class Answer(NamedTuple):
    """How a request ends."""

    status: BlkStatus
    length: int = 0
    """Bytes written for the driver, without the status."""


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
        self._form: Final = form
        self.sectors, self.read_only = form
        self._bytes = bytearray(self.sectors * SECTOR_SIZE)

    def clear(self) -> None:
        """Begin anew: with zeroes, and the capacity of its form."""
        self.sectors = self._form.sectors
        self._bytes[:] = bytes(self.sectors * SECTOR_SIZE)

    def resize(self, sectors: int) -> None:
        """Change the capacity; new sectors are zeroes."""
        self.sectors = sectors
        size = sectors * SECTOR_SIZE
        self._bytes[size:] = bytes(max(size - len(self._bytes), 0))

    def at_once(self, memory: GuestMemory, request: BlkRequest) -> Answer | None:
        """Return the answer to a request that needs no I/O; None: `execute` has it.

        Such a request is never held, and never fails.

        Raises:
            AddressError: a buffer lies outside guest memory.
        """
        if request.type in _WRITES and self.read_only:
            return Answer(_IOERR)
        if request.type in _TRANSFERS:
            length = request.data_length
            sectors, odd = divmod(length, SECTOR_SIZE)
            return Answer(_IOERR) if odd or request.sector + sectors > self.sectors else None
        if request.type in _CLEARS:
            refused = self._refusal(memory, request)
            return None if refused is None else Answer(refused)
        if request.type == RequestType.GET_ID:
            answer = SERIAL.encode()[:ID_SIZE].ljust(ID_SIZE, b"\0")
            return Answer(_OK, scatter(memory, request.writable, answer))
        return None if request.type == RequestType.FLUSH else Answer(_UNSUPP)

    def _refusal(self, memory: GuestMemory, request: BlkRequest) -> BlkStatus | None:
        """As QEMU: one segment, no unknown flags, and no flag unmap for a DISCARD."""
        if request.data_length > DISCARD_SEGMENT.size:
            return _UNSUPP
        first, sectors, flags = cleared_sectors(memory, request)
        if not sectors or first + sectors > self.sectors:
            return _IOERR
        known = UNMAP if request.type == RequestType.WRITE_ZEROES else 0
        return _UNSUPP if flags & ~known else None

    def execute(self, memory: GuestMemory, request: BlkRequest) -> Answer:
        """Carry out a request that is not answered at once.

        Raises:
            AddressError: a buffer lies outside guest memory.
        """
        if request.type == RequestType.FLUSH:
            return Answer(_OK)
        if request.type in _CLEARS:
            first, sectors, _ = cleared_sectors(memory, request)
            if first + sectors > self.sectors:  # the guest has changed it since
                return Answer(_IOERR)
            self._bytes[first * SECTOR_SIZE : (first + sectors) * SECTOR_SIZE] = bytes(
                sectors * SECTOR_SIZE
            )
            return Answer(_OK)
        start = request.sector * SECTOR_SIZE
        end = start + request.data_length
        if end > len(self._bytes):  # the disk was larger when it was taken
            return Answer(_IOERR)
        if request.type == RequestType.IN:
            data = bytes(self._bytes[start:end])
            return Answer(_OK, scatter(memory, request.writable, data))
        self._bytes[start:end] = gather(memory, request.readable)
        return Answer(_OK)
