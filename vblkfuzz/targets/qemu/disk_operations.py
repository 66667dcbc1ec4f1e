"""Operations on the disk of a real QEMU: what they mean in QMP.

They drain it for a moment. Where those sections begin and end is not known, so they are not
recorded. The disk of a saved VM belongs to another: they leave it alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.targets.doors.drain_all import drain_all
from vblkfuzz.trace.kinds import RESIZE
from vblkfuzz.trace.witness import Witness

if TYPE_CHECKING:
    from vblkfuzz.scenario.op import Op
    from vblkfuzz.targets.qemu.device_disk import DeviceDisk
    from vblkfuzz.targets.qemu.migration import SavedState
    from vblkfuzz.targets.qmp import Qmp
    from vblkfuzz.targets.recorder import Recorder


class DiskOperations:
    """A part of the operator. Each operation has a method of its name."""

    disk: DeviceDisk
    """The disk that the device uses."""
    _qmp: Qmp
    _state: SavedState | None
    """State of the VM from `save` to `restore`."""
    _closes: bool
    """Since QEMU was last at rest, a section has begun to close or a block job has begun
    (`targets.qsd.operator`)."""

    async def resize(self, operation: Op, recorder: Recorder) -> None:
        """Change the capacity; QEMU refuses while the mirror job uses the disk.

        The disk of a saved VM belongs to another.
        """
        if self._state is not None:
            return
        sectors = operation.d + 1
        if await self.disk.resize(sectors):
            recorder.tell(RESIZE, value=sectors)
            recorder.doubt(Witness.DISK)  # it is unknown before which requests it took effect

    async def snapshot(self, operation: Op, recorder: Recorder) -> None:
        """Drain all disks within one callback."""
        await drain_all(self._qmp)

    async def set_iothread(self, operation: Op, recorder: Recorder) -> None:
        """Move the disk to another context; QEMU refuses while a device uses it."""
        await self.disk.set_iothread(iothread=operation.a == 0)

    async def reopen(self, operation: Op, recorder: Recorder) -> None:
        """Reopen the disk's node."""
        if self._state is None:
            await self.disk.reopen()

    async def block_job(self, operation: Op, recorder: Recorder) -> None:
        """Run a block job."""
        if self._state is None:
            self._closes = True
            await self.disk.run_job(operation.a)

    async def throttle(self, operation: Op, recorder: Recorder) -> None:
        """Set limits of I/O of the device, or remove them."""
        if self._state is None:
            await self.disk.limit(on=not operation.a)
