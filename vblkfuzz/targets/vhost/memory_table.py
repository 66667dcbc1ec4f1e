"""The memory table: which memory a back-end may access, and by which addresses.

Each region has three addresses: one of the guest (used in descriptors), one of the front-end (used
for the addresses of rings) and the offset in the file that is sent with the message. Guest memory
is one memfd, mapped by guest process and back-end. It contains nothing else, so a back-end that
writes to wrong addresses can damage guest memory only. Source: "Vhost-user Protocol", "Memory
region description".
"""

from __future__ import annotations

import fcntl
import mmap
import os
from struct import Struct
from typing import Final, NamedTuple

from vblkfuzz.limits import GUEST_MEMORY_SIZE
from vblkfuzz.targets.vhost.fault import MalformedReply
from vblkfuzz.virtio.memory import GuestMemory

_COUNT: Final = Struct("<II")
_REGION: Final = Struct("<QQQQ")

FRONTEND_BASE: Final = 0x7F00_0000_0000
"""Address of guest address 0 in the front-end's address space, as reported to the back-end. The
back-end only subtracts it again, so it need not be the true one; a constant is reproducible."""


class Region(NamedTuple):
    """A contiguous part of guest memory."""

    guest_address: int
    size: int
    frontend_address: int
    file_offset: int


def pack_regions(regions: tuple[Region, ...]) -> bytes:
    """Return the payload of SET_MEM_TABLE."""
    return _COUNT.pack(len(regions), 0) + b"".join([_REGION.pack(*region) for region in regions])


def unpack_regions(data: bytes) -> tuple[Region, ...]:
    """Read the payload of SET_MEM_TABLE.

    Raises:
        MalformedReply: its length does not fit its count of regions.
    """
    if len(data) < _COUNT.size:
        raise MalformedReply(f"memory table: expected {_COUNT.size} bytes, found {len(data)}")
    count, _ = _COUNT.unpack_from(data)
    if len(data) != _COUNT.size + count * _REGION.size:
        raise MalformedReply(f"memory table: {count} regions in {len(data)} bytes")
    return tuple(Region(*fields) for fields in _REGION.iter_unpack(data[_COUNT.size :]))


class SharedMemory:
    """Guest memory in a memfd, zeroed, with a sealed size.

    Without the seals, a back-end could truncate the file, and a process that then accesses the
    memory would be killed (SIGBUS).
    """

    def __init__(self, size: int = GUEST_MEMORY_SIZE) -> None:
        self.fd: Final = os.memfd_create("vblkfuzz-guest", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(self.fd, size)
        fcntl.fcntl(self.fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
        self._mapping: Final = mmap.mmap(self.fd, size)
        self._view: Final = memoryview(self._mapping)
        self.memory: Final = GuestMemory(self._view)
        self.regions: Final = (Region(0, size, FRONTEND_BASE, 0),)

    def close(self) -> None:
        """Unmap the memory and close the memfd; `memory` is invalid after that."""
        for view in (self.memory.u16, self.memory.u32, self.memory.bytes, self._view):
            view.release()
        self._mapping.close()
        os.close(self.fd)
