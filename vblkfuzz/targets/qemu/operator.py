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
from vblkfuzz.targets.iothread_polling import IOThreadPolling
from vblkfuzz.targets.nbd.backend import BACKEND_OPS
from vblkfuzz.targets.open_sections import OpenSections
from vblkfuzz.targets.operator_work import OperatorWork
from vblkfuzz.targets.qemu.device_disk import DeviceDisk
from vblkfuzz.targets.qemu.disk_operations import DiskOperations
from vblkfuzz.targets.qemu.migration import SavedState
from vblkfuzz.targets.qemu.start_failure import StartFailure
from vblkfuzz.targets.qemu.without import WITHOUT
from vblkfuzz.trace.kinds import (
    DRAIN_CALL,
    DRAIN_END,
    DRAIN_RET,
    RESET_CALL,
    RESET_RET,
    RESTORED,
    SAVED,
    VM_CONT,
    VM_STOP_CALL,
    VM_STOP_RET,
)
from vblkfuzz.trace.witness import Witness

if TYPE_CHECKING:
    from collections.abc import Callable

    from vblkfuzz.targets.nbd.backend import NbdBackend
    from vblkfuzz.targets.operator_work import Work
    from vblkfuzz.targets.qemu.process import QemuProcess
    from vblkfuzz.targets.recorder import Recorder

    Method = Callable[["Operator", Op, Recorder], Work | None]

_RESTORE: Final = op("restore")
_CONT: Final = op("cont")


class Operator(DiskOperations):
    """Operates one QEMU, in one process after another. Each operation has a method of its name."""

    def __init__(self, qemu: QemuProcess, backend: NbdBackend | None = None) -> None:
        """Operate a process that is connected.

        Args:
            qemu: it.
            backend: what answers the requests to its disks; None: they are files.
        """
        self._backend = backend
        self._use(qemu)
        self.processes = 1
        """Processes started so far: each `restore` starts one."""
        self.vm_running = True
        """Whether it runs, as far as is known: it may stop by itself (`_notice_stop`)."""
        self._state: SavedState | None = None
        """State of the VM from `save` to `restore`."""
        self._open = OpenSections()
        self._start_failure = StartFailure()
        self._closes = False
        """Since QEMU was last at rest, a section has begun to close (`targets.qsd.operator`)."""
        self._still_since: tuple[Recorder, int] | None = None
        """Recorder and its `acts` when QEMU was last found at rest."""

    def _use(self, qemu: QemuProcess) -> None:
        """Operate this process from now on."""
        self.qemu = qemu
        self._qmp = qemu.qmp
        self.work = OperatorWork(qemu.qmp, qemu.sleeps_on)
        """Operations that have begun or are queued."""
        self.disk = DeviceDisk(qemu)
        """The disk that the device uses."""
        self._polling = IOThreadPolling(qemu.qmp)

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
    def in_section(self) -> bool:
        """Whether a drained section is open."""
        return bool(self._open)

    @property
    def is_as_new(self) -> bool:
        """Whether another scenario may begin here: nothing is open or queued, no start failed."""
        failed = self._start_failure.happened
        return self.work.is_done and self.unfinished() is None and not failed

    def perform(self, operation: Op, recorder: Recorder) -> None:
        """Begin an operation; those of `WITHOUT` do nothing."""
        self._start_failure.lift()
        self._begin(operation, recorder)
        if self.work.is_done:
            self._start_failure.limit(self.qemu)

    def _begin(self, operation: Op, recorder: Recorder) -> None:
        if operation.spec.owner == "backend":
            if self._backend is not None:
                self._operate_backend(operation, recorder)
            return
        method = _METHODS[operation.code]
        work = method(self, operation, recorder) if method else None
        if work is not None:
            self.work.add(self._act(work))
            self.work.go_on(blocked=self.blocked)

    def _operate_backend(self, operation: Op, recorder: Recorder) -> None:
        assert self._backend is not None
        fails = operation.name == "complete" and operation.b > 0
        if fails and self.qemu.variant.ignores_errors:
            recorder.doubt(Witness.DISK)  # a write that ends well may have done nothing
        self._backend.perform(operation)
        self.settle(recorder)  # the guest goes on if nothing waits any more
        if fails:
            self.work.add(self._act(self._notice_stop(recorder)))
            self.work.go_on(blocked=self.blocked)

    async def _act(self, work: Work) -> None:
        """Carry out work that acts on QEMU, which is not at rest after that."""
        self._still_since = None
        await work

    @property
    def blocked(self) -> bool:
        """Whether the backend holds requests."""
        return self._backend is not None and self._backend.blocked

    def unfinished(self) -> Op | None:
        """The next operation towards rest; None: there already."""
        if self._backend is not None and (release := self._backend.unfinished()) is not None:
            return release
        if self._open:
            return self._open.closing()
        if self._state is not None:
            return _RESTORE
        return None if self.vm_running else _CONT

    def settle(self, recorder: Recorder) -> None:
        """Wait until QEMU is at rest, then look; done already if there was no action since.

        Operations that could go on do so: only those are left that wait for held requests.
        """
        if self._still_since == (recorder, recorder.acts) and self.work.is_done:
            return
        while True:
            self.qemu.settle(blocked=self.blocked)
            went = self.work.go_on(blocked=self.blocked)
            if not (went or self._lets_off()):
                break
        self._closes = self._closes and self.work.waits
        self._start_failure.note()
        self._note_rest(recorder)

    def _lets_off(self) -> bool:
        return self._closes and self._backend is not None and self._backend.let_off()

    async def _rests(self, recorder: Recorder) -> None:
        """As `settle`, for an operation."""
        if self._still_since != (recorder, recorder.acts):
            await self.qemu.rests()
            self._note_rest(recorder)

    def _note_rest(self, recorder: Recorder) -> None:
        recorder.look(self.qemu.dequeues)
        self._still_since = (recorder, recorder.acts)

    # --- Between scenarios --------------------------------------------------------------------

    def make_ready(self, sectors: int, *, polling: bool) -> None:
        """Bring a machine at rest into the initial state of a scenario."""
        self._start_failure.disarm()
        self._qmp.forget_events()
        self.qemu.disks.clear()
        self.disk.fit(sectors * SECTOR_SIZE)
        self._poll(on=polling)
        self._qmp.run(self.disk.clean_up())

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
        opened = True
        recorder.tell(DRAIN_CALL, flag=1, value=depth)
        if depth == 1:
            self._doubt_disk(recorder)
            opened = await self.disk.open_window(pivot=operation.name == "mirror_begin")
        else:
            await self.disk.reopen()
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
        self._open.end_innermost()
        recorder.tell(DRAIN_END, value=len(self._open))

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
            self._closes = True
            await self.disk.close_window(cancelled=bool(operation.a))
        await self._rests(recorder)

    # --- The machine --------------------------------------------------------------------------

    async def _notice_stop(self, recorder: Recorder) -> None:
        """Record that the VM has stopped by itself, as `werror` or `rerror` wants it to.

        A stop waits for the requests in flight, in the main loop. It is not known before that.
        """
        status = await self._qmp.call("query-status")
        if self.vm_running and not status["running"]:
            recorder.look(self.qemu.dequeues)
            recorder.tell(VM_STOP_CALL)
            self.vm_running = False
            await self._rests(recorder)
            recorder.tell(VM_STOP_RET)

    async def stop(self, operation: Op, recorder: Recorder) -> None:
        """Stop the VM."""
        if self.vm_running:
            recorder.tell(VM_STOP_CALL)
            self.vm_running = False
            await self._qmp.call("stop")
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
        state = SavedState(self.disk.current)
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
        if self._state is None and self._backend is not None and not self.work.is_done:
            self._backend.release()  # a save waits for the held requests
            self.settle(recorder)
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


check_complete(Operator, WITHOUT, BACKEND_OPS)
_METHODS: Final[tuple[Method | None, ...]] = tuple(
    getattr(Operator, spec.name, None) for spec in OPS
)
"""By operation code; None: a real QEMU has no such operation."""
