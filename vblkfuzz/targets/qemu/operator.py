"""The operator of a real QEMU: what operations mean in QMP.

A long drained section is a mirror job that waits to be finalized: from BLOCK_JOB_PENDING on its
source is drained, and the main loop keeps running. The job of `drain_begin` ends without switching
the graph, the job of `mirror_begin` switches to the other disk. A section within a section is a
short one (blockdev-reopen), because a disk has one job at a time; its end is only counted.

The recorded section is never longer than the real one: DRAIN_RET is recorded after the section is
known to be open, DRAIN_END before the command that ends it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import HarnessError
from vblkfuzz.scenario.alphabet.operator import BY
from vblkfuzz.scenario.alphabet.ops import CODES, NOT_WHILE_SAVED, OPS
from vblkfuzz.scenario.op import Op
from vblkfuzz.targets.complete import check_complete
from vblkfuzz.targets.doors.drain_all import drain_all
from vblkfuzz.targets.nbd.backend import BACKEND_OPS
from vblkfuzz.targets.qemu import hotplug
from vblkfuzz.targets.qemu.internal_snapshot import InternalSnapshot
from vblkfuzz.targets.qemu.machine import Machine
from vblkfuzz.targets.qemu.migration import SavedState
from vblkfuzz.targets.qemu.without import WITHOUT
from vblkfuzz.targets.replug import tell_unplug, tell_unplugged
from vblkfuzz.trace.kinds import (
    DRAIN_CALL,
    DRAIN_END,
    DRAIN_RET,
    RESET_CALL,
    RESET_RET,
    RESIZE,
    RESTORED,
    SAVED,
    VM_CONT,
    VM_STOP_CALL,
    VM_STOP_RET,
)
from vblkfuzz.trace.witness import Witness

if TYPE_CHECKING:
    from collections.abc import Callable

    from vblkfuzz.targets.operator_work import Work
    from vblkfuzz.targets.recorder import Recorder

    Method = Callable[["Operator", Op, Recorder], Work]

_RESTORE: Final = CODES["restore"]
_SNAPSHOT: Final = BY.values.index("snapshot")
_CONNECTION: Final = 1
"""A part of `replug`."""


class Operator(Machine):
    """Operates one QEMU. Each operation has a method of its name."""

    def perform(self, operation: Op, recorder: Recorder) -> None:
        """Begin an operation; those of `WITHOUT` do nothing."""
        self._start_failure.lift()
        self._operation = recorder.index, operation.code
        if operation.spec.owner == "backend":
            self._operate_backend(operation, recorder)
        else:
            self._operate(operation, recorder)
        if self.work.is_done:
            self._start_failure.limit(self.qemu)

    def _operate(self, operation: Op, recorder: Recorder) -> None:
        method = _METHODS[operation.code]
        if operation.code == _RESTORE:
            self.restore(operation, recorder)
        elif method is not None:
            self._begin(partial(self._unless_saved, method, operation, recorder), recorder)

    async def _unless_saved(self, method: Method, operation: Op, recorder: Recorder) -> None:
        """Carry out an operation, unless the VM is saved by then and it does nothing there."""
        if self._state is None or operation.code not in _NOT_WHILE_SAVED:
            await method(self, operation, recorder)

    def _operate_backend(self, operation: Op, recorder: Recorder) -> None:
        if self._backend is None:
            return
        fails = operation.name == "complete" and operation.b > 0
        if fails and self.qemu.variant.ignores_errors:
            recorder.doubt(Witness.DISK)  # a write that ends well may have done nothing
        self._failed |= fails
        self._backend.perform(operation)
        self.settle(recorder)  # the guest goes on if nothing waits any more

    # --- Drained sections ---------------------------------------------------------------------

    async def drain_begin(self, operation: Op, recorder: Recorder) -> None:
        """Open a section, or a short one within another."""
        unit, opened = self._open.begin(operation), True
        disk = self.disks[unit]
        recorder.tell(DRAIN_CALL, flag=1, value=len(self._open))
        if self._open.of(unit) == 1:
            self._doubt_disk(recorder)
            opened = await disk.open_window(pivot=operation.name == "mirror_begin")
        else:
            await disk.reopen()
        await self._rests(recorder)
        recorder.tell(DRAIN_RET, flag=1)
        if not opened:
            self._end_failed(recorder)

    def _doubt_disk(self, recorder: Recorder) -> None:
        """Both nodes are one NBD disk: a late copy of the job would overwrite newer data."""
        if self._backend is not None and (self._backend.blocked or not recorder.idle):
            recorder.doubt(Witness.DISK)

    def _end_failed(self, recorder: Recorder) -> None:
        """End a section whose job has failed.

        Raises:
            HarnessError: a file never fails.
        """
        if self._backend is None:
            raise HarnessError("the mirror job has failed")
        self._end_innermost(recorder)

    async def _close(self, began: str, recorder: Recorder, *, cancelled: bool = False) -> None:
        unit = self._open.end(began)
        if unit is None:
            return
        recorder.look(self.qemu.dequeues)
        recorder.tell(DRAIN_END, value=len(self._open))
        if not self._open.of(unit):
            self._closes = True
            await self.disks[unit].close_window(cancelled=cancelled)
        await self._rests(recorder)

    # --- The machine --------------------------------------------------------------------------

    async def stop(self, operation: Op, recorder: Recorder) -> None:
        """Stop the VM."""
        if self.vm_running:
            recorder.tell(VM_STOP_CALL)
            self.vm_running = False
            await self._qmp.call("stop")
            await self._rests(recorder)
            recorder.tell(VM_STOP_RET)

    async def cont(self, operation: Op, recorder: Recorder) -> None:
        """Continue the VM."""
        if not self.vm_running:
            recorder.look(self.qemu.dequeues)
            recorder.tell(VM_CONT)
            self._start_failure.limit(self.qemu)
            await self._qmp.call("cont")
            self.vm_running = True
            self._still_since = None

    async def save(self, operation: Op, recorder: Recorder) -> None:
        """Stop the VM and save it; QEMU may refuse, then it is only stopped.

        It is only stopped, too, if the driver has not accepted VIRTIO_F_VERSION_1. A device may
        fail then (virtio 1.2, 6.2); this one does: virtio_load takes the rings for legacy ones.
        """
        await self.stop(operation, recorder)
        if recorder.featureless:
            return
        in_process = operation.a == _SNAPSHOT
        used = [disk.current for disk in self.disks]
        state = InternalSnapshot(self.qemu.image) if in_process else SavedState(used)
        try:
            filled = await state.fill(self._qmp)
        except BaseException:
            state.close()
            raise
        if not filled:
            state.close()
            return
        self._state = state
        self._still_since = None
        await self._rests(recorder)
        recorder.tell(SAVED)

    def restore(self, operation: Op, recorder: Recorder) -> None:
        """Let a saved VM go on from its state, in a new process or by an internal snapshot."""
        if self._state is None and self._backend is not None and not self.work.is_done:
            self._backend.release()  # a save waits for the held requests
            self.settle(recorder)
        if isinstance(self._state, InternalSnapshot):
            self._begin(partial(self._load, self._state, operation, recorder), recorder)
        elif self._state is not None:
            self._go_on_elsewhere(self._state, operation, recorder)

    async def _load(self, state: InternalSnapshot, operation: Op, recorder: Recorder) -> None:
        """Let the process load the state; its drained sections stay open."""
        recorder.look(self.qemu.dequeues)
        recorder.tell(RESTORED)
        with self._noting_refusal():
            await state.load(self._qmp)
        self._drop_state()
        await self._rests(recorder)
        await self.cont(operation, recorder)

    def _go_on_elsewhere(self, state: SavedState, operation: Op, recorder: Recorder) -> None:
        """Kill the process, and let a new one load the state and run.

        The drained sections of the old process end with it, and so does what it was asked to do.
        """
        recorder.look(self.qemu.dequeues)
        recorder.tell(RESTORED)
        self._end_all(recorder)
        self._move(state)
        self._drop_state()
        self.settle(recorder)
        self._begin(partial(self.cont, operation, recorder), recorder)

    async def system_reset(self, operation: Op, recorder: Recorder) -> None:
        """Reset the machine and wait until that is done."""
        recorder.tell(RESET_CALL, flag=1)
        await self._qmp.call("system_reset")
        await self._qmp.event(lambda event: event["event"] == "RESET")
        await self._rests(recorder)
        recorder.tell(RESET_RET)

    async def replug(self, operation: Op, recorder: Recorder) -> None:
        """Unplug the device and plug in a new one.

        The part `connection` is a device whose geometry is given (`hotplug`). virtio-mmio has no
        hot-plug, so nothing happens there.

        Raises:
            HarnessError: QEMU refuses the new device, also after the drained sections have ended.
        """
        if self.qemu.variant.bus == "mmio":
            return
        tell_unplug(recorder, self.qemu.dequeues)
        try:
            await hotplug.eject(self._qmp, self.qemu.variant)
            self.work.assured = True
            await hotplug.gone(self._qmp)
            self.work.assured = False
            while not await self._plug(geometry=operation.a == _CONNECTION):
                if not self._open:
                    raise HarnessError("device_add is refused")
                await self._close(self._open.innermost, recorder)
            await self._rests(recorder)
        finally:
            recorder.look(self.qemu.dequeues)  # what it has dequeued may be why it has ended
        tell_unplugged(recorder, self.qemu.dequeues)

    async def _plug(self, *, geometry: bool) -> bool:
        nodes = [disk.node for disk in self.disks]
        return await hotplug.plug(self._qmp, self.qemu.variant, nodes, geometry=geometry)

    async def resize(self, operation: Op, recorder: Recorder) -> None:
        """Change the capacity; QEMU refuses while the mirror job uses the disk."""
        sectors = operation.d + 1
        if await self.disk.resize(sectors):
            recorder.tell(RESIZE, value=sectors)
            recorder.doubt(Witness.DISK)  # it is unknown before which requests it took effect

    async def snapshot(self, operation: Op, recorder: Recorder) -> None:
        """Drain all disks within one callback."""
        await drain_all(self._qmp)

    async def reopen(self, operation: Op, recorder: Recorder) -> None:
        """Reopen the disk's node."""
        await self.disk.reopen()

    async def block_job(self, operation: Op, recorder: Recorder) -> None:
        """Run a block job."""
        self._closes = True
        if not await self.disk.block_job(operation.a):
            recorder.doubt(Witness.DISK)

    async def throttle(self, operation: Op, recorder: Recorder) -> None:
        """Set limits of I/O of the device, or remove them."""
        await self.disk.throttle(on=not operation.a)

    async def set_iothread(self, operation: Op, recorder: Recorder) -> None:
        """Move the disk to another context; QEMU refuses while a device uses it."""
        await self.disk.set_iothread(iothread=operation.a == 0)

    async def start_fail(self, operation: Op, recorder: Recorder) -> None:
        """Let the next start of the device fail at a queue.

        After it the vCPU handles kicks itself; without ioeventfd it does so anyway.
        """
        if self.qemu.variant.ioeventfd:
            recorder.direct = True
            self._start_failure.arm(operation.a)

    async def poll_on(self, operation: Op, recorder: Recorder) -> None:
        """Let an IOThread poll."""
        await self._polling.switch(operation.a, on=True)

    async def poll_off(self, operation: Op, recorder: Recorder) -> None:
        """Let an IOThread wait for its notifiers."""
        await self._polling.switch(operation.a, on=False)


_NOT_WHILE_SAVED: Final = NOT_WHILE_SAVED | {CODES["drain_begin"], CODES["mirror_begin"]}
"""Codes of operations that do nothing on a saved VM. QEMU has no job on a disk given away."""
check_complete(Operator, WITHOUT, BACKEND_OPS)
_METHODS: Final[tuple[Method | None, ...]] = tuple(
    getattr(Operator, spec.name, None) for spec in OPS
)
"""By operation code; None: a real QEMU has no such operation. `restore` acts at once instead."""
