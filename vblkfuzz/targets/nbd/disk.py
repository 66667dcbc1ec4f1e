"""Disks in shared memory: the NBD exports, and what a witness of S14 reads.

There is one disk for each capacity that a scenario may choose and each unit that has it, zeroed at
the start of a scenario.
Only the server writes; other processes with the mapping may read.
"""

from __future__ import annotations

import mmap
from typing import Final

from vblkfuzz.limits import DISK_SECTORS, MAX_UNITS, SECTOR_SIZE
from vblkfuzz.targets.nbd.protocol import Command, Errno, NbdRequest

_OFFSETS: Final = {
    sectors: sum(DISK_SECTORS[:place]) * SECTOR_SIZE for place, sectors in enumerate(DISK_SECTORS)
}
_TOTAL: Final = sum(DISK_SECTORS) * SECTOR_SIZE


def export_name(sectors: int, unit: int = 0) -> str:
    """Return the name of the export with a disk of that capacity, of a unit."""
    return f"disk{sectors}-{unit}" if unit else f"disk{sectors}"


class Disks:
    """All disks, by export name."""

    def __init__(self) -> None:
        """Map the memory; processes forked later share it."""
        view = memoryview(mmap.mmap(-1, _TOTAL * MAX_UNITS))
        self._by_name: Final = {
            export_name(sectors, unit): view[unit * _TOTAL + at :][: sectors * SECTOR_SIZE]
            for sectors, at in _OFFSETS.items()
            for unit in range(MAX_UNITS)
        }

    def size_of(self, name: str) -> int | None:
        """Return the size of a disk in bytes; None if there is no disk of that name."""
        disk = self._by_name.get(name)
        return None if disk is None else len(disk)

    def content(self, name: str) -> bytes:
        """Return all bytes of a disk."""
        return bytes(self._by_name[name])

    def clear(self) -> None:
        """Fill all disks with zeroes."""
        for disk in self._by_name.values():
            disk[:] = bytes(len(disk))

    def execute(self, name: str, request: NbdRequest) -> tuple[int, bytes]:
        """Carry out a request; return its error number and the data of a read."""
        disk = self._by_name[name]
        start, end = request.offset, request.offset + request.length
        if request.command == Command.FLUSH:
            return Errno.OK, b""
        if end > len(disk):
            return Errno.EINVAL, b""
        if request.command == Command.READ:
            return Errno.OK, bytes(disk[start:end])
        if request.command == Command.WRITE:
            disk[start:end] = request.data
        elif request.command in (Command.TRIM, Command.WRITE_ZEROES):
            disk[start:end] = bytes(request.length)
        elif request.command != Command.CACHE:
            return Errno.EINVAL, b""
        return Errno.OK, b""
