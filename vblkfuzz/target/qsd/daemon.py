"""One qemu-storage-daemon: its command line, its connections, its end.

It has an export for each capacity that a scenario may choose, so that the next scenario needs a new
connection only. Behind each export are two nodes on one and the same disk of the NBD server: a
mirror job goes from the one to the other and back, and the disk's content stays.
"""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import DeviceLost, DeviceUnavailable, HarnessError
from vblkfuzz.limits import DEVICE_LIMIT_S, DISK_SECTORS, MAX_QUEUES
from vblkfuzz.target.child import Child, Stillness
from vblkfuzz.target.ending import ending_of, last_line
from vblkfuzz.target.nbd.disk import export_name
from vblkfuzz.target.nbd.server import Order
from vblkfuzz.target.qemu.qmp import Qmp
from vblkfuzz.target.vhost_user.endpoint import Endpoint

if TYPE_CHECKING:
    from vblkfuzz.target.nbd.process import NbdProcess
    from vblkfuzz.target.real import Ending

IOTHREAD: Final = "io0"
_SLICE_S: Final = 0.05
"""Seconds after which somebody who waits for rest looks whether the process lives."""


def node_name(sectors: int, side: int) -> str:
    """Name of a node of an export: `side` 0 or 1."""
    return f"disk{sectors}-{side}"


class Daemon:
    """A running qemu-storage-daemon."""

    def __init__(self, binary: str, nbd: NbdProcess, *, iothread: bool) -> None:
        """Start it.

        Raises:
            DeviceUnavailable: it does not start; its own words say why.
        """
        self.iothread = iothread
        self._nbd = nbd
        self._endpoints = {sectors: Endpoint() for sectors in DISK_SECTORS}
        ours, theirs = socket.socketpair()
        with ExitStack() as stack:
            stack.enter_context(theirs)
            disks = [stack.enter_context(nbd.connect()).fileno() for _ in _NODES]
            listeners = [endpoint.listener.fileno() for endpoint in self._endpoints.values()]
            command = _command(theirs.fileno(), disks, listeners, iothread=iothread)
            self._child = Child([binary, *command], [theirs.fileno(), *disks, *listeners])
        for endpoint in self._endpoints.values():
            endpoint.hand_over()
        self._still = Stillness(self._child.pid)
        self._connect(ours)

    def _connect(self, control: socket.socket) -> None:
        try:
            self.qmp = Qmp(control)
        except DeviceLost as lost:
            said = self._child.words() if self._child.exit_code(1.0) is not None else str(lost)
            self._child.end()
            self._close()
            raise DeviceUnavailable(
                f"qemu-storage-daemon does not start: {last_line(said)}"
            ) from None

    def connect(self, sectors: int) -> socket.socket:
        """Return a new connection to the export with that capacity."""
        return self._endpoints[sectors].connect()

    def rest(self) -> None:
        """Wait until neither daemon nor NBD server has anything to do.

        Raises:
            DeviceLost: the daemon has ended.
            HarnessError: it goes on and on.
        """
        deadline = time.monotonic() + DEVICE_LIMIT_S
        while True:
            before = self._nbd.progress
            while not self._still.wait(_SLICE_S):
                if self._child.exit_code() is not None:
                    raise DeviceLost("the daemon has ended")
                if time.monotonic() > deadline:
                    raise HarnessError("the daemon does not come to rest")
            self._nbd.order(Order.SYNC)
            if self._nbd.progress == before:
                return

    @property
    def lives(self) -> bool:
        """Whether the process runs."""
        return self._child.exit_code() is None

    def answers(self) -> bool:
        """Whether the process lives. One that dies closes its connections first, one by one."""
        return not self.qmp.is_cut and self.lives

    def ending(self, *, guest_waits: bool) -> Ending | None:
        """Say how it ended, or that it hangs; None if somebody killed it."""
        return ending_of(self._child, guest_waits=guest_waits)

    def end(self) -> None:
        """Kill it and free everything."""
        self._child.end()
        self.qmp.close()
        self._close()

    def _close(self) -> None:
        for endpoint in self._endpoints.values():
            endpoint.close()


_NODES: Final = tuple((sectors, side) for sectors in DISK_SECTORS for side in (0, 1))


def _command(control: int, disks: list[int], listeners: list[int], *, iothread: bool) -> list[str]:
    """Return the arguments; all connections are fds."""
    options = [
        f"--chardev socket,id=qmp,fd={control} --monitor chardev=qmp",
        f"--object iothread,id={IOTHREAD},poll-max-ns=0",
    ]
    for (sectors, side), fd in zip(_NODES, disks, strict=True):
        node = node_name(sectors, side)
        options += [
            f"--blockdev driver=nbd,node-name={node}-nbd,server.type=fd,server.str={fd},"
            f"export={export_name(sectors)}",
            f"--blockdev driver=raw,node-name={node},file={node}-nbd",
        ]
    where = f",iothread={IOTHREAD}" if iothread else ""
    options += [
        f"--export type=vhost-user-blk,id=export{sectors},node-name={node_name(sectors, 0)},"
        f"addr.type=fd,addr.str={fd},writable=on,num-queues={MAX_QUEUES}{where}"
        for sectors, fd in zip(DISK_SECTORS, listeners, strict=True)
    ]
    return " ".join(options).split()
