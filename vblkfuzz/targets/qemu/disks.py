"""The disks of one QEMU process: two nodes, a mirror job goes from one to the other and back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from vblkfuzz.limits import DISK_SECTORS, SECTOR_SIZE
from vblkfuzz.targets.child import memfd

if TYPE_CHECKING:
    from collections.abc import Sequence

DISK_NODES: Final = ("n0", "n1")
"""Names of the nodes. A device begins on the first one."""
_SMALLEST: Final = min(DISK_SECTORS) * SECTOR_SIZE


class FileDisks:
    """Two files in memory, each with a size of its own."""

    def __init__(self, fds: Sequence[int] = (), *, read_only: bool) -> None:
        """Take the memfds of an earlier process, or make new ones.

        Args:
            fds: memfds, which `close` closes; none: they are made.
            read_only: the first node is. The other one is the target of a mirror job, which has to
                be writable.
        """
        self.fds = list(fds) or [
            memfd(name, min(DISK_SECTORS) * SECTOR_SIZE) for name in DISK_NODES
        ]
        """Files that the process inherits."""
        self._read_only = read_only

    def arguments(self) -> list[str]:
        """Return the options of the command line, one for each node."""
        return [
            "-blockdev " + ",".join(f"{name}={_word(value)}" for name, value in node.items())
            for node in (self.node(0, read_only=self._read_only), self.node(1, read_only=False))
        ]

    def node(self, disk: int, *, read_only: bool) -> dict[str, object]:
        """Return the options of a node, an index into `DISK_NODES`."""
        return {
            "driver": "file",
            "node-name": DISK_NODES[disk],
            "filename": f"/proc/self/fd/{self.fds[disk]}",
            "locking": "off",
            "read-only": read_only,
        }

    def size(self, disk: int) -> int:
        """Return the size of a disk in bytes."""
        return os.fstat(self.fds[disk]).st_size

    def clear(self) -> None:
        """Fill both disks with zeroes."""
        for disk, fd in enumerate(self.fds):
            os.pwrite(fd, bytes(self.size(disk)), 0)

    def successor(self, disk: int) -> FileDisks:
        """Return the same disks for another process, which begins on `disk`."""
        fds = [os.dup(self.fds[each]) for each in (disk, disk ^ 1)]
        return FileDisks(fds, read_only=self._read_only)

    def close(self) -> None:
        """Free the files that no other process has."""
        for fd in self.fds:
            os.close(fd)


def _word(value: object) -> object:
    """Return a value as the command line has it."""
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else value
