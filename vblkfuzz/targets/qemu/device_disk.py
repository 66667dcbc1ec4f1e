"""The disk that a unit of the device uses: one of two nodes, and what QMP does to it.

virtio-blk has one unit, so to speak. Jobs and limits are for the first unit only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.limits import SECTOR_SIZE
from vblkfuzz.targets.doors.block_job import BlockJobs, Disk
from vblkfuzz.targets.doors.throttle import DeviceLimits
from vblkfuzz.targets.iothread_polling import IOTHREAD
from vblkfuzz.targets.mirror_window import MirrorWindow
from vblkfuzz.targets.qemu.disks import DISK_NODES
from vblkfuzz.targets.qemu.hotplug import disk_path

if TYPE_CHECKING:
    from vblkfuzz.targets.qemu.process import QemuProcess


class DeviceDisk:
    """The disk of one process. Its coroutines are for an operator's work (`qmp`)."""

    def __init__(self, qemu: QemuProcess, unit: int) -> None:
        self._qmp = qemu.qmp
        self._disks = qemu.disks
        self._read_only = qemu.variant.read_only
        self._keeps_size = qemu.variant.nbd is not None
        self._window = MirrorWindow(qemu.qmp, unit)
        self._image = qemu.image
        self._jobs = BlockJobs(qemu.qmp, self._image)
        self._limits = DeviceLimits(qemu.qmp, disk_path(qemu.variant))
        self.current = 2 * unit
        """The node that the unit uses, as an index into DISK_NODES."""

    @property
    def node(self) -> str:
        """Its name."""
        return DISK_NODES[self.current]

    @property
    def is_as_new(self) -> bool:
        """Whether no job has failed: it may have left something in the graph."""
        return not (self._window.failed or self._jobs.failed or self._image.is_open)

    # --- Drained sections ---------------------------------------------------------------------

    async def open_window(self, *, pivot: bool) -> bool:
        """Drain the disk by a mirror job that waits to be finalized; return whether that works.

        A read-only device stays on its disk: the other one is writable. The job fails if one of its
        own requests does.
        """
        pivot = pivot and not self._read_only
        other = self.current ^ 1
        await self._set_size(other, self._disks.size(self.current))
        copies = pivot and not self._keeps_size  # else both nodes are one NBD disk
        return await self._window.open(
            self.node, DISK_NODES[other], sync="full" if copies else "none", pivot=pivot
        )

    async def close_window(self, *, cancelled: bool) -> None:
        """Finalize the job, or cancel it by force, and wait until it is gone."""
        if await self._window.close(cancelled=cancelled):
            self.current ^= 1

    async def reopen(self) -> None:
        """Open it again with the options that it has: a short section."""
        await self._reopen(read_only=self._read_only)

    async def _reopen(self, *, read_only: bool) -> None:
        options = self._disks.node(self.current, read_only=read_only)
        await self._qmp.attempt("blockdev-reopen", options=[options])

    async def block_job(self, kind: int) -> bool:
        """Run a job from start to end (`targets.doors.block_job`); return as `BlockJobs.run`."""
        node = self._disks.node(self.current, read_only=self._read_only)
        return await self._jobs.run(kind, Disk(node, self._disks.size(self.current)))

    async def throttle(self, *, on: bool) -> None:
        """Set limits that never delay a request, or remove them."""
        await self._limits.switch(on=on)

    async def undo_doors(self) -> None:
        """Remove limits; QEMU 10.0 and later leave a read-only disk writable after block-stream."""
        await self.throttle(on=False)
        if self._read_only:
            await self.reopen()

    # --- Size and thread ----------------------------------------------------------------------

    def fit(self, size: int) -> None:
        """Set its size in bytes; a disk that is read-only is writable in the meantime."""
        if self._disks.size(self.current) != size:
            self._qmp.run(self._fit(size))

    async def _fit(self, size: int) -> None:
        if self._read_only:
            await self._reopen(read_only=False)
        await self._set_size(self.current, size)
        if self._read_only:
            await self._reopen(read_only=True)

    async def _set_size(self, disk: int, size: int) -> None:
        if self._disks.size(disk) != size:
            await self._qmp.call("block_resize", node_name=DISK_NODES[disk], size=size)

    async def resize(self, sectors: int) -> bool:
        """Set the capacity; return whether it has changed, which QEMU may refuse.

        It takes a smaller size of an NBD disk, too, but such a disk keeps its size.
        """
        size = sectors * SECTOR_SIZE
        taken = await self._qmp.attempt("block_resize", node_name=self.node, size=size)
        return taken and not self._keeps_size

    async def set_iothread(self, *, iothread: bool) -> None:
        """Move it to the IOThread or to the main loop; QEMU refuses while a device uses it."""
        where = IOTHREAD if iothread else None
        await self._qmp.attempt("x-blockdev-set-iothread", node_name=self.node, iothread=where)
