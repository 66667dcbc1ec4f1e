"""One QEMU under operation: its processes, one after another, what was begun, and its rest."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from vblkfuzz.limits import SECTOR_SIZE
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.targets.device_end import StateRefused
from vblkfuzz.targets.drained_sections import DrainedSections
from vblkfuzz.targets.iothread_polling import IOThreadPolling
from vblkfuzz.targets.operator_work import OperatorWork
from vblkfuzz.targets.qemu.device_disk import DeviceDisk
from vblkfuzz.targets.qemu.start_failure import StartFailure
from vblkfuzz.trace.kinds import STEP_LIMIT, VM_STOP_CALL, VM_STOP_RET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vblkfuzz.targets.nbd.backend import NbdBackend
    from vblkfuzz.targets.operator_work import Work
    from vblkfuzz.targets.qemu.internal_snapshot import InternalSnapshot
    from vblkfuzz.targets.qemu.migration import SavedState
    from vblkfuzz.targets.qemu.process import QemuProcess
    from vblkfuzz.targets.recorder import Recorder

_RESTORE: Final = op("restore")
_CONT: Final = op("cont")


class Machine(DrainedSections):
    """The state of a QEMU between two operations."""

    def __init__(self, qemu: QemuProcess, backend: NbdBackend | None = None) -> None:
        """Operate a process that is connected.

        Args:
            qemu: it.
            backend: what answers the requests to its disks; None: they are files.
        """
        super().__init__(qemu.variant.units)
        self._backend = backend
        self._use(qemu)
        self.processes = 1
        """Processes started so far: each `restore` starts one."""
        self.vm_running = True
        """Whether it runs, as far as is known: it may stop by itself (`_notice_stop`)."""
        self._failed = False
        """Whether the backend has failed a request of this scenario, which may stop the VM."""
        self._operation = (0, 0)
        """Index and code of the operation that is performed, as `Recorder.deferred` takes them."""
        self._state: SavedState | InternalSnapshot | None = None
        """State of the VM from `save` to `restore`."""
        self._start_failure = StartFailure()
        self._spun: Recorder | None = None
        """Recorder of the last scenario in which the main loop was found to spin."""
        self._closes = False
        """Since QEMU was last at rest, a section has begun to close, or a block job has begun
        (`targets.qsd.operator`)."""
        self._still_since: tuple[Recorder, int] | None = None
        """Recorder and its `acts` when QEMU was last found at rest."""

    def _use(self, qemu: QemuProcess) -> None:
        """Operate this process from now on."""
        self.qemu = qemu
        self._qmp = qemu.qmp
        self.work = OperatorWork(qemu.qmp)
        """Operations that have begun or are queued."""
        self.disks = [DeviceDisk(qemu, unit) for unit in range(qemu.variant.units)]
        """The disk that each unit uses."""
        self.disk = self.disks[0]
        """The one that operations are about, but drained sections."""
        self._polling = IOThreadPolling(qemu.qmp, qemu.variant.iothreads)

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
        unused = all(disk.is_as_new for disk in self.disks)
        return self.at_rest and unused and not self._start_failure.happened

    @property
    def in_section(self) -> bool:
        """Whether a drained section is open."""
        return bool(self._open)

    @property
    def at_rest(self) -> bool:
        """Whether nothing is open and no operation has begun or is queued."""
        return self.work.is_done and self.unfinished() is None

    def _begin(self, work: Callable[[], Work], recorder: Recorder) -> None:
        """Queue work of this operation, and carry it out as far as that is possible now."""
        self.work.add(self._act(work, self._operation, recorder))
        if self.blocked:
            self.settle(recorder)
        else:
            self.work.go_on(blocked=False)

    async def _act(
        self, work: Callable[[], Work], operation: tuple[int, int], recorder: Recorder
    ) -> None:
        """Carry out work that acts on QEMU, which is not at rest after that.

        It may begin as late as in the release that it has waited for. What it causes is recorded
        as an effect of `operation` all the same.
        """
        if recorder.index != operation[0]:
            recorder.look(self.qemu.dequeues)
        recorder.deferred(*operation)
        await self._notice_stop(recorder)
        self._still_since = None
        await work()

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
        """Wait until QEMU is at rest, then look; done already if there was no action since."""
        if self._still_since != (recorder, recorder.acts) or not self.work.is_done:
            self._come_to_rest(recorder)
            self._look_for_stop(recorder)
        self._start_failure.note()

    def _look_for_stop(self, recorder: Recorder) -> None:
        """Queue the question whether the VM has stopped; a main loop that waits answers later."""
        if self._may_stop and self.work.is_done:
            self.work.add(self._notice_stop(recorder))
            if self.blocked:
                self._come_to_rest(recorder)
            else:
                self.work.go_on(blocked=False)

    @property
    def _may_stop(self) -> bool:
        return self._failed and self.vm_running and self.qemu.variant.stops_on_errors

    async def _notice_stop(self, recorder: Recorder) -> None:
        """Record that the VM has stopped by itself, as `werror` or `rerror` wants it to.

        A failed request stops the VM when QEMU takes the answer. Up to 10.0 it takes none while a
        newer request is held, so that may be in any later operation that ends a request.

        A stop waits for the requests in flight, in the main loop; while it waits, one question may
        be answered, but not a second one. So the stop is known when it is over.
        """
        if not self._may_stop:
            return
        for _ in range(2):
            status = await self._qmp.call("query-status")
        if not status["running"]:
            recorder.look(self.qemu.dequeues)
            recorder.tell(VM_STOP_CALL)
            self.vm_running = False
            await self._rests(recorder)
            recorder.tell(VM_STOP_RET)

    def _come_to_rest(self, recorder: Recorder) -> None:
        """Let operations go on that can: only those are left that wait for held requests."""
        while True:
            sleeps = self.qemu.settle(blocked=self.blocked)
            if not (self.work.go_on(blocked=self.blocked) or self._lets_off() or self._naps()):
                break
        self._closes = self._closes and self.work.waits
        self._note_rest(recorder, sleeps=sleeps)

    def _lets_off(self) -> bool:
        return self._closes and self._backend is not None and self._backend.let_off()

    def _naps(self) -> bool:
        """Whether what an operation waits for may have been a thread that slept for a time."""
        return self.work.waits and self.qemu.outlasts_a_nap()

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

    def make_ready(self, sectors: int, *, polling: bool) -> None:
        """Bring a machine at rest into the initial state of a scenario."""
        self._start_failure.disarm()
        self._failed = False
        if self._backend is not None:
            self._qmp.run(self._flush())
        self._qmp.forget_events()
        self.qemu.disks.clear()
        for disk in self.disks:
            disk.fit(sectors * SECTOR_SIZE)
        self._qmp.run(self._polling.take_all(on=polling))
        for disk in self.disks:
            self._qmp.run(disk.undo_doors())

    async def _flush(self) -> None:
        """Flush all disks: with unflushed writes of an earlier scenario, QEMU would flush later.

        Whether a drained section sends a flush, which can be held, depends on that.
        """
        await self._qmp.call("stop")
        await self._qmp.call("cont")

    @contextmanager
    def _noting_refusal(self) -> Iterator[None]:
        """Let the process remember that it has refused a state: it lives on, but does not hang."""
        try:
            yield
        except StateRefused:
            self.qemu.refused = True
            raise

    def _move(self, state: SavedState) -> None:
        """Replace the process by a new one that loads a state.

        Raises:
            DeviceLost: it ends, hangs or refuses the state instead.
        """
        polling = self._polling.on
        self.work.abandon()
        self.qemu = self.qemu.successor(state.disks)
        self.processes += 1
        self.qemu.connect()
        self._use(self.qemu)
        with self._noting_refusal():
            self._qmp.run(state.load(self._qmp))
        self._qmp.run(self._polling.take(polling))
