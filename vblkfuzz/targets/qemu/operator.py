"""The operator of a real QEMU: what operations mean in QMP.

A long drained section is a mirror job that waits to be finalized: from BLOCK_JOB_PENDING on its
source is drained, and the main loop keeps running. The job of `drain_begin` ends without switching
the graph, the job of `mirror_begin` switches to the other disk. A section within a section is a
short one (blockdev-reopen), because a disk has one job at a time; its end is only counted.

The recorded section is never longer than the real one: DRAIN_RET is recorded after the section is
known to be open, DRAIN_END before the command that ends it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import HarnessError
from vblkfuzz.limits import SECTOR_SIZE
from vblkfuzz.scenario.alphabet.ops import OPS
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.targets.complete import check_complete
from vblkfuzz.targets.doors.block_job import BlockJobs, Disk
from vblkfuzz.targets.doors.drain_all import drain_all
from vblkfuzz.targets.doors.throttle import DeviceLimits
from vblkfuzz.targets.iothread_polling import IOTHREAD, IOThreadPolling
from vblkfuzz.targets.mirror_window import MirrorWindow
from vblkfuzz.targets.open_sections import OpenSections
from vblkfuzz.targets.operator_work import OperatorWork
from vblkfuzz.targets.qemu.disks import DISK_NODES
from vblkfuzz.targets.qemu.migration import SavedState
from vblkfuzz.targets.qemu.process import DEVICE
from vblkfuzz.targets.qemu.start_failure import StartFailure
from vblkfuzz.targets.qemu.without import WITHOUT
from vblkfuzz.trace.kinds import (
    DRAIN_CALL,
    DRAIN_END,
    DRAIN_RET,
    RESET_CALL,
    RESET_RET,
    RESIZE,
    RESTORED,
    SAVED,
    STEP_LIMIT,
    VM_CONT,
    VM_STOP_CALL,
    VM_STOP_RET,
)
from vblkfuzz.trace.witness import Witness

if TYPE_CHECKING:
    from collections.abc import Callable

    from vblkfuzz.targets.operator_work import Work
    from vblkfuzz.targets.qemu.process import QemuProcess
    from vblkfuzz.targets.recorder import Recorder

    Method = Callable[["Operator", Op, Recorder], Work | None]

_RESTORE: Final = op("restore")
_CONT: Final = op("cont")


class Operator:
    """Operates one QEMU, in one process after another. Each operation has a method of its name."""

    def __init__(self, qemu: QemuProcess) -> None:
        self._use(qemu)
        self.processes = 1
        """Processes started so far: each `restore` starts one."""
        self.vm_running = True
        self._state: SavedState | None = None
        """State of the VM from `save` to `restore`."""
        self._open = OpenSections()
        self._start_failure = StartFailure()
        self._spun: Recorder | None = None
        """Recorder of the last scenario in which the main loop was found to spin."""
        self._still_since: tuple[Recorder, int] | None = None
        """Recorder and its `acts` when QEMU was last found at rest."""

    def _use(self, qemu: QemuProcess) -> None:
        """Operate this process from now on."""
        self.qemu = qemu
        self._qmp = qemu.qmp
        self.work = OperatorWork(qemu.qmp, qemu.sleeps_on)
        """Operations that have begun or are queued."""
        self._window = MirrorWindow(qemu.qmp)
        self._polling = IOThreadPolling(qemu.qmp)
        self._jobs = BlockJobs(qemu.qmp, qemu.image)
        self._limits = DeviceLimits(qemu.qmp, DEVICE)
        self._current = 0
        """Disk that the device uses, as an index into DISK_NODES."""

    def end(self) -> None:
        """Kill the process and free everything."""
        self.work.abandon()
        self.qemu.end()
        self._drop_state()

    def _drop_state(self) -> None:
        if self._state is not None:
            self._state.close()
            self._state = None

    @property
    def is_as_new(self) -> bool:
        """Whether another scenario may begin here, after a reset of the device."""
        return self.unfinished() is None and not self._start_failure.happened

    @property
    def in_section(self) -> bool:
        """Whether a drained section is open."""
        return bool(self._open)

    def perform(self, operation: Op, recorder: Recorder) -> None:
        """Begin an operation; those of `WITHOUT` do nothing."""
        self._start_failure.lift()
        method = _METHODS[operation.code]
        work = method(self, operation, recorder) if method else None
        if work is not None:
            self.work.add(work)
            self.work.go_on(blocked=False)
        if self.work.is_done:
            self._start_failure.limit(self.qemu)

    def unfinished(self) -> Op | None:
        """The next operation towards a running VM without drained section; None: there already."""
        if self._open:
            return self._open.closing()
        if self._state is not None:
            return _RESTORE
        return None if self.vm_running else _CONT

    def settle(self, recorder: Recorder) -> None:
        """Wait until QEMU is at rest, then look; done already if there was no action since."""
        if self._still_since != (recorder, recorder.acts):
            sleeps = self.qemu.settle()
            self._note_rest(recorder, sleeps=sleeps)
        self._start_failure.note()

    async def _rests(self, recorder: Recorder) -> None:
        """As `settle`, for an operation."""
        if self._still_since != (recorder, recorder.acts):
            sleeps = await self.qemu.rests()
            self._note_rest(recorder, sleeps=sleeps)

    def _note_rest(self, recorder: Recorder, *, sleeps: bool) -> None:
        recorder.look(self.qemu.dequeues)
        if not sleeps and self._spun is not recorder and self.qemu.spins(drained=self.in_section):
            recorder.tell(STEP_LIMIT, flag=1)
            self._spun = recorder
        self._still_since = (recorder, recorder.acts)

    # --- Between scenarios --------------------------------------------------------------------

    def make_ready(self, sectors: int, *, polling: bool) -> None:
        """Bring a machine at rest into the initial state of a scenario."""
        self._start_failure.disarm()
        self._qmp.forget_events()
        self.qemu.disks.clear()
        size = sectors * SECTOR_SIZE
        if self.qemu.disks.size(self._current) != size:
            self._qmp.run(self._set_current_size(size))
        self._poll(on=polling)
        self._qmp.run(self._undo_doors())

    async def _undo_doors(self) -> None:
        """Remove limits; QEMU 10.0 and later leave a read-only disk writable after block-stream."""
        await self._limits.switch(on=False)
        if self.qemu.variant.read_only:
            await self._reopen(read_only=True)

    async def _set_current_size(self, size: int) -> None:
        """A disk that is read-only is writable in the meantime."""
        if self.qemu.variant.read_only:
            await self._reopen(read_only=False)
        await self._set_size(self._current, size)
        if self.qemu.variant.read_only:
            await self._reopen(read_only=True)

    async def _set_size(self, disk: int, size: int) -> None:
        if self.qemu.disks.size(disk) != size:
            await self._qmp.call("block_resize", node_name=DISK_NODES[disk], size=size)

    def _poll(self, *, on: bool) -> None:
        if self._polling.on != on:
            self._qmp.run(self._switch_polling(on=on))

    async def _switch_polling(self, *, on: bool) -> None:
        if self.qemu.variant.iothread:
            await self._polling.switch(on=on)

    # --- Drained sections ---------------------------------------------------------------------

    async def drain_begin(self, operation: Op, recorder: Recorder) -> None:
        """Open a section, or a short one within another.

        QEMU refuses a job on a disk that it has given away.
        """
        if self._state is not None:
            return
        depth = self._open.begin(operation)
        recorder.tell(DRAIN_CALL, flag=1, value=depth)
        if depth == 1:
            await self.open_window(pivot=operation.name == "mirror_begin")
        else:
            await self._reopen(read_only=self.qemu.variant.read_only)
        await self._rests(recorder)
        recorder.tell(DRAIN_RET, flag=1)

    async def mirror_begin(self, operation: Op, recorder: Recorder) -> None:
        """As `drain_begin`, but only one at a time."""
        if operation.name not in self._open:
            await self.drain_begin(operation, recorder)

    async def drain_end(self, operation: Op, recorder: Recorder) -> None:
        """End the innermost section that drain_begin began, if there is one."""
        await self._close("drain_begin", operation, recorder)

    async def mirror_finish(self, operation: Op, recorder: Recorder) -> None:
        """End the section that mirror_begin began, if there is one."""
        await self._close("mirror_begin", operation, recorder)

    async def _close(self, began: str, operation: Op, recorder: Recorder) -> None:
        if not self._open.end(began):
            return
        recorder.look(self.qemu.dequeues)
        recorder.tell(DRAIN_END, value=len(self._open))
        if not self._open:
            await self.close_window(cancelled=bool(operation.a))
        await self._rests(recorder)

    async def open_window(self, *, pivot: bool) -> None:
        """Drain the disk by a mirror job that waits to be finalized.

        A read-only device stays on its disk: the other one is writable.

        Raises:
            HarnessError: the job fails.
        """
        pivot = pivot and not self.qemu.variant.read_only
        other = self._current ^ 1
        await self._set_size(other, self.qemu.disks.size(self._current))
        nodes = DISK_NODES[self._current], DISK_NODES[other]
        if not await self._window.open(*nodes, sync="full" if pivot else "none", pivot=pivot):
            raise HarnessError("the mirror job has failed")

    async def close_window(self, *, cancelled: bool = False) -> None:
        """Finalize the job, or cancel it by force, and wait until it is gone."""
        if await self._window.close(cancelled=cancelled):
            self._current ^= 1

    async def _reopen(self, *, read_only: bool) -> None:
        options = self.qemu.disks.node(self._current, read_only=read_only)
        await self._qmp.attempt("blockdev-reopen", options=[options])

    # --- The machine --------------------------------------------------------------------------

    async def stop(self, operation: Op, recorder: Recorder) -> None:
        """Stop the VM."""
        if self.vm_running:
            recorder.tell(VM_STOP_CALL)
            await self._qmp.call("stop")
            self.vm_running = False
            await self._rests(recorder)
            recorder.tell(VM_STOP_RET)

    async def cont(self, operation: Op, recorder: Recorder) -> None:
        """Continue the VM; one that was saved is elsewhere."""
        if not self.vm_running and self._state is None:
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
        if self._state is not None:
            return
        await self.stop(operation, recorder)
        if recorder.featureless:
            return
        state = SavedState(self._current)
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

    def restore(self, operation: Op, recorder: Recorder) -> Work | None:
        """Kill the process of a saved VM, and let a new one load its state and run.

        That happens at once, and what is left to do is returned: the drained sections of the old
        process end with it, and so does what it was asked to do.
        """
        if self._state is None:
            return None
        recorder.look(self.qemu.dequeues)
        recorder.tell(RESTORED)
        while self._open:
            self._open.end_innermost()
            recorder.tell(DRAIN_END, value=len(self._open))
        self._move(self._state)
        self._drop_state()
        self.settle(recorder)
        return self.cont(operation, recorder)

    def _move(self, state: SavedState) -> None:
        """Replace the process by a new one that loads a state.

        Raises:
            DeviceLost: it ends or hangs instead.
        """
        polling = self._polling.on
        self.work.abandon()
        self.qemu = self.qemu.successor(state.disk)
        self.processes += 1
        self.qemu.connect()
        self._use(self.qemu)
        self._qmp.run(state.load(self._qmp))
        self._poll(on=polling)

    async def system_reset(self, operation: Op, recorder: Recorder) -> None:
        """Reset the machine and wait until that is done; one that was saved is elsewhere."""
        if self._state is not None:
            return
        recorder.tell(RESET_CALL, flag=1)
        await self._qmp.call("system_reset")
        await self._qmp.event(lambda event: event["event"] == "RESET")
        await self._rests(recorder)
        recorder.tell(RESET_RET)

    async def resize(self, operation: Op, recorder: Recorder) -> None:
        """Change the capacity; QEMU refuses while the mirror job uses the disk.

        The disk of a saved VM belongs to another.
        """
        if self._state is not None:
            return
        sectors = operation.d + 1
        node = DISK_NODES[self._current]
        if await self._qmp.attempt("block_resize", node_name=node, size=sectors * SECTOR_SIZE):
            recorder.tell(RESIZE, value=sectors)
            recorder.doubt(Witness.DISK)  # it is unknown before which requests it took effect

    async def snapshot(self, operation: Op, recorder: Recorder) -> None:
        """Drain all disks within one callback."""
        await drain_all(self._qmp)

    async def reopen(self, operation: Op, recorder: Recorder) -> None:
        """Reopen the disk's node; one that was given away is left alone."""
        if self._state is None:
            await self._reopen(read_only=self.qemu.variant.read_only)

    async def block_job(self, operation: Op, recorder: Recorder) -> None:
        """Run a block job; QEMU has no job on a disk that it has given away."""
        if self._state is None:
            disks, current = self.qemu.disks, self._current
            node = disks.node(current, read_only=self.qemu.variant.read_only)
            await self._jobs.run(operation.a, Disk(node, disks.size(current)))

    async def throttle(self, operation: Op, recorder: Recorder) -> None:
        """Set limits of I/O of the device, or remove them; a saved VM has its own elsewhere."""
        if self._state is None:
            await self._limits.switch(on=not operation.a)

    async def set_iothread(self, operation: Op, recorder: Recorder) -> None:
        """Move the disk to another context; QEMU refuses while a device uses it."""
        iothread = IOTHREAD if operation.a == 0 else None
        node = DISK_NODES[self._current]
        await self._qmp.attempt("x-blockdev-set-iothread", node_name=node, iothread=iothread)

    async def start_fail(self, operation: Op, recorder: Recorder) -> None:
        """Let the next start of the device fail at a queue.

        After it the vCPU handles kicks itself; without ioeventfd it does so anyway.
        """
        if self.qemu.variant.ioeventfd:
            recorder.direct = True
            self._start_failure.arm(operation.a)

    async def poll_on(self, operation: Op, recorder: Recorder) -> None:
        """Let the IOThread poll."""
        await self._switch_polling(on=True)

    async def poll_off(self, operation: Op, recorder: Recorder) -> None:
        """Let the IOThread wait for its notifiers."""
        await self._switch_polling(on=False)


check_complete(Operator, WITHOUT)
_METHODS: Final[tuple[Method | None, ...]] = tuple(
    getattr(Operator, spec.name, None) for spec in OPS
)
"""By operation code; None: a real QEMU has no such operation."""
