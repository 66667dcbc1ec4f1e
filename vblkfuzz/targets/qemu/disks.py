"""The disks of one QEMU process: two nodes, a mirror job goes from one to the other and back.

FileDisks   two files in memory: fast, and their requests end at once
NbdDisks    one disk of the NBD server behind both nodes; the backend holds and fails requests

Each logical unit of virtio-scsi has such a pair, one after the other.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, Protocol

from vblkfuzz.limits import DISK_SECTORS, MAX_UNITS, SECTOR_SIZE
from vblkfuzz.targets.child import memfd
from vblkfuzz.targets.nbd.disk import export_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.targets.nbd.process import NbdProcess

DISK_NODES: Final = tuple(f"n{number}" for number in range(2 * MAX_UNITS))
"""Names of the nodes: two for each unit, which begins on the first one."""
_SMALLEST: Final = min(DISK_SECTORS) * SECTOR_SIZE


class Disks(Protocol):
    """What the process and its operator need to know."""

    @property
    def fds(self) -> Sequence[int]:
        """Files that the process inherits."""

    @property
    def pids(self) -> Sequence[int]:
        """Processes that carry out its requests."""

    def arguments(self) -> list[str]:
        """Return the options of the command line."""

    def node(self, disk: int, *, read_only: bool) -> dict[str, object]:
        """Return the options of a node, an index into `DISK_NODES`."""

    def size(self, disk: int) -> int:
        """Return the size of a disk in bytes."""

    def clear(self) -> None:
        """Fill the disks with zeroes."""

    def inherited(self) -> None:
        """Free what only the process uses, which has started."""

    def successor(self, used: Sequence[int]) -> Disks:
        """Return the same disks for another process, whose units begin on those of `used`."""

    def close(self) -> None:
        """Free everything else."""


class FileDisks:
    """Files in memory, each with a size of its own."""

    def __init__(self, fds: Sequence[int] = (), *, read_only: bool, units: int = 1) -> None:
        """Take the memfds of an earlier process, or make new ones.

        Args:
            fds: memfds, which `close` closes; none: they are made.
            read_only: the device is.
            units: units that have a pair of them, if they are made.
        """
        self.fds = list(fds) or [
            memfd(name, min(DISK_SECTORS) * SECTOR_SIZE) for name in DISK_NODES[: 2 * units]
        ]
        """Files that the process inherits."""
        self.pids = ()
        self._read_only = read_only

    def arguments(self) -> list[str]:
        """Return the options of the command line, one for each node."""
        return _arguments(self, read_only=self._read_only)

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
        """Fill all disks with zeroes."""
        for disk, fd in enumerate(self.fds):
            os.pwrite(fd, bytes(self.size(disk)), 0)

    def inherited(self) -> None:
        """Do nothing: the files are used here, too."""

    def successor(self, used: Sequence[int]) -> FileDisks:
        """Return the same disks for another process, whose units begin on those of `used`."""
        fds = [os.dup(self.fds[each]) for disk in used for each in (disk, disk ^ 1)]
        return FileDisks(fds, read_only=self._read_only)

    def close(self) -> None:
        """Free the files that no other process has."""
        for fd in self.fds:
            os.close(fd)


class NbdDisks:
    """A disk of the NBD server for each unit; each node has a connection of its own."""

    def __init__(self, nbd: NbdProcess, sectors: int, *, read_only: bool, units: int = 1) -> None:
        """Connect.

        Raises:
            ActorDied: the server has ended.
        """
        self._nbd, self._sectors, self._read_only = nbd, sectors, read_only
        self._nodes = DISK_NODES[: 2 * units]
        self._connections = [nbd.connect() for _ in self._nodes]

    @property
    def fds(self) -> Sequence[int]:
        """Connections that the process inherits."""
        return [connection.fileno() for connection in self._connections]

    @property
    def pids(self) -> Sequence[int]:
        """The NBD server."""
        return (self._nbd.pid,)

    def arguments(self) -> list[str]:
        """Return the options of the command line: what the nodes read and write, and the nodes."""
        below = [
            f"-blockdev driver=nbd,node-name={name}-nbd,server.type=fd,server.str={fd}"
            f",export={export_name(self._sectors, number // 2)}"
            for number, (name, fd) in enumerate(zip(self._nodes, self.fds, strict=True))
        ]
        return [*below, *_arguments(self, read_only=self._read_only)]

    def node(self, disk: int, *, read_only: bool) -> dict[str, object]:
        """Return the options of a node, an index into `DISK_NODES`."""
        name = DISK_NODES[disk]
        return {
            "driver": "raw",
            "node-name": name,
            "file": f"{name}-nbd",
            "read-only": read_only,
        }

    def size(self, disk: int) -> int:
        """Return the size of the disk in bytes; an NBD disk keeps it."""
        return self._sectors * SECTOR_SIZE

    def clear(self) -> None:
        """Do nothing: `Order.START` fills the disk with zeroes."""

    def inherited(self) -> None:
        """Close the connections here, so that they end with the process."""
        self.close()

    def successor(self, used: Sequence[int]) -> NbdDisks:
        """Return the same disks for another process; which node was used does not matter."""
        units = len(used)
        return NbdDisks(self._nbd, self._sectors, read_only=self._read_only, units=units)

    def close(self) -> None:
        """Close the connections, unless that is done."""
        for connection in self._connections:
            connection.close()


def _arguments(disks: Disks, *, read_only: bool) -> list[str]:
    """Return the options for all nodes, those first on which units begin.

    QEMU 10.0 leaves inactive, after a migration, a node without a unit that comes before the last
    one with a unit (bdrv_next).

    Args:
        disks: they.
        read_only: the first node of each unit is. The other one is the target of a mirror job,
            which has to be writable.
    """
    first, last = range(0, len(disks.fds), 2), range(1, len(disks.fds), 2)
    nodes = [disks.node(disk, read_only=read_only) for disk in first]
    nodes += [disks.node(disk, read_only=False) for disk in last]
    return [
        "-blockdev " + ",".join(f"{name}={_word(value)}" for name, value in node.items())
        for node in nodes
    ]


def _word(value: object) -> object:
    """Return a value as the command line has it."""
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else value
