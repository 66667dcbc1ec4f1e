"""The operator of a real QEMU: what operations mean in QMP.

A long drained section is a mirror job that waits to be finalized: from BLOCK_JOB_PENDING on its
source is drained, and the main loop keeps running. The job of `drain_begin` ends without switching
the graph, the job of `mirror_begin` switches to the other disk. A section within a section is a
short one (blockdev-reopen), because a disk has one job at a time; its end is only counted.

The recorded section is never longer than the real one: DRAIN_RET is recorded after the section is
known to be open, DRAIN_END before the command that ends it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vblkfuzz.errors import HarnessError
from vblkfuzz.limits import SECTOR_SIZE
from vblkfuzz.scenario.alphabet.ops import OPS
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.targets.complete import check_complete
from vblkfuzz.targets.qemu.migration import SavedState
from vblkfuzz.targets.qemu.process import DISK_NODES, IOTHREAD
from vblkfuzz.targets.qemu.without import WITHOUT
from vblkfuzz.targets.qmp import Refused
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

    from vblkfuzz.targets.qemu.process import QemuProcess
    from vblkfuzz.targets.recorder import Recorder

_JOB: Final = "mirror"
_POLL_NS: Final = 32768
"""QEMU's default for poll-max-ns."""
_CLOSES: Final = {"drain_begin": op("drain_end"), "mirror_begin": op("mirror_finish")}
_RESTORE: Final = op("restore")
_CONT: Final = op("cont")


class Operator:
    """Operates one QEMU, in one process after another. Each operation has a method of its name."""

    def __init__(self, qemu: QemuProcess) -> None:
        self.qemu = qemu
        self._qmp = qemu.qmp
        self.processes = 1
        """Processes started so far: each `restore` starts one."""
        self.vm_running = True
        self._state: SavedState | None = None
        """State of the VM from `save` to `restore`."""
        self._open: list[str] = []
        """Operations that began the open drained sections, outermost first."""
        self._current = 0
        """Disk that the device uses, as an index into DISK_NODES."""
        self._polling = False
        self._spun: Recorder | None = None
        """Recorder of the last scenario in which the main loop was found to spin."""
        self._still_since: tuple[Recorder, int] | None = None
        """Recorder and its `acts` when QEMU was last found at rest."""

    def end(self) -> None:
        """Kill the process and free everything."""
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

    def perform(self, operation: Op, recorder: Recorder) -> None:
        """Carry out an operation; those of `WITHOUT` do nothing."""
        method = _METHODS[operation.code]
        if method is not None:
            method(self, operation, recorder)

    def unfinished(self) -> Op | None:
        """The next operation towards a running VM without drained section; None: there already."""
        if self._open:
            return _CLOSES[self._open[-1]]
        if self._state is not None:
            return _RESTORE
        return None if self.vm_running else _CONT

    def settle(self, recorder: Recorder) -> None:
        """Wait until QEMU is at rest, then look; done already if there was no action since."""
        if self._still_since == (recorder, recorder.acts):
            return
        sleeps = self.qemu.settle()
        recorder.look(self.qemu.dequeues)
        if not sleeps and self._spun is not recorder and self.qemu.spins(drained=self.in_section):
            recorder.tell(STEP_LIMIT, flag=1)
            self._spun = recorder
        self._still_since = (recorder, recorder.acts)

    # --- Between scenarios --------------------------------------------------------------------

    def make_ready(self, sectors: int, *, polling: bool) -> None:
        """Bring a machine at rest into the initial state of a scenario."""
        self._qmp.forget_events()
        self.qemu.clear_disks()
        self._set_current_size(sectors * SECTOR_SIZE)
        self._poll(polling)

    def _set_current_size(self, size: int) -> None:
        """A disk that is read-only is writable in the meantime."""
        read_only = self.qemu.variant.read_only and self.qemu.disk_size(self._current) != size
        if read_only:
            self._qmp.execute("blockdev-reopen", options=[self._node(read_only=False)])
        self._set_size(self._current, size)
        if read_only:
            self._qmp.execute("blockdev-reopen", options=[self._node(read_only=True)])

    def _set_size(self, disk: int, size: int) -> None:
        if self.qemu.disk_size(disk) != size:
            self._qmp.execute("block_resize", node_name=DISK_NODES[disk], size=size)

    def _poll(self, on: bool) -> None:
        if self._polling != on and self.qemu.variant.iothread:
            self._qmp.execute(
                "qom-set",
                path=f"/objects/{IOTHREAD}",
                property="poll-max-ns",
                value=_POLL_NS if on else 0,
            )
            self._polling = on

    # --- Drained sections ---------------------------------------------------------------------

    def drain_begin(self, operation: Op, recorder: Recorder) -> None:
        """Open a section, or a short one within another.

        QEMU refuses a job on a disk that it has given away.
        """
        if self._state is not None:
            return
        self._open.append(operation.name)
        depth = len(self._open)
        recorder.tell(DRAIN_CALL, flag=1, value=depth)
        if depth == 1:
            self.open_window(pivot=operation.name == "mirror_begin")
        else:
            self._reopen()
        self.settle(recorder)
        recorder.tell(DRAIN_RET, flag=1)

    def mirror_begin(self, operation: Op, recorder: Recorder) -> None:
        """As `drain_begin`, but only one at a time."""
        if operation.name not in self._open:
            self.drain_begin(operation, recorder)

    def drain_end(self, operation: Op, recorder: Recorder) -> None:
        """End the innermost section that drain_begin began, if there is one."""
        self._close("drain_begin", recorder)

    def mirror_finish(self, operation: Op, recorder: Recorder) -> None:
        """End the section that mirror_begin began, if there is one."""
        self._close("mirror_begin", recorder)

    def _close(self, began: str, recorder: Recorder) -> None:
        if began not in self._open:
            return
        at = len(self._open) - 1 - self._open[::-1].index(began)
        del self._open[at]
        recorder.look(self.qemu.dequeues)
        recorder.tell(DRAIN_END, value=len(self._open))
        if not self._open:
            self.close_window()
        self.settle(recorder)

    def open_window(self, *, pivot: bool) -> None:
        """Drain the disk by a mirror job that waits to be finalized.

        A read-only device stays on its disk: the other one is writable.
        """
        pivot = self._pivots = pivot and not self.qemu.variant.read_only
        other = self._current ^ 1
        self._set_size(other, self.qemu.disk_size(self._current))
        mirror: dict[str, object] = {
            "job_id": _JOB,
            "device": DISK_NODES[self._current],
            "target": DISK_NODES[other],
            "sync": "full" if pivot else "none",
            "auto_finalize": False,
        }
        self._qmp.finish(self._qmp.begin(self._drain(mirror, pivot)))

    async def _drain(self, mirror: dict[str, object], pivot: bool) -> None:
        qmp = self._qmp
        await qmp.call("blockdev-mirror", **mirror)
        await qmp.event(lambda event: _is_job(event, "ready"))
        if pivot:
            await qmp.call("job-complete", id=_JOB)
        else:
            await qmp.call("block-job-cancel", device=_JOB, force=False)
        await qmp.event(lambda event: _is_job(event, "pending"))

    def close_window(self) -> None:
        """Finalize the job and wait until it is gone."""
        self._qmp.finish(self._qmp.begin(self._finalize()))
        if self._pivots:
            self._current ^= 1

    async def _finalize(self) -> None:
        await self._qmp.call("job-finalize", id=_JOB)
        await self._qmp.event(lambda event: _is_job(event, "null"))

    def _reopen(self) -> None:
        self._try("blockdev-reopen", options=[self._node(read_only=self.qemu.variant.read_only)])

    def _node(self, *, read_only: bool) -> dict[str, object]:
        """Return the options of the disk that the device uses."""
        return {
            "driver": "file",
            "node-name": DISK_NODES[self._current],
            "filename": self.qemu.disk_path(self._current),
            "locking": "off",
            "read-only": read_only,
        }

    def _try(self, command: str, **arguments: object) -> bool:
        """Run a command that QEMU may refuse in this state; return whether it succeeded."""
        try:
            self._qmp.execute(command, **arguments)
        except Refused:
            return False
        return True

    # --- The machine --------------------------------------------------------------------------

    def stop(self, operation: Op, recorder: Recorder) -> None:
        """Stop the VM."""
        if self.vm_running:
            recorder.tell(VM_STOP_CALL)
            self._qmp.execute("stop")
            self.vm_running = False
            self.settle(recorder)
            recorder.tell(VM_STOP_RET)

    def cont(self, operation: Op, recorder: Recorder) -> None:
        """Continue the VM; one that was saved is elsewhere."""
        if not self.vm_running and self._state is None:
            recorder.look(self.qemu.dequeues)
            recorder.tell(VM_CONT)
            self._qmp.execute("cont")
            self.vm_running = True
            self._still_since = None

    def save(self, operation: Op, recorder: Recorder) -> None:
        """Stop the VM and save it; QEMU may refuse, then it is only stopped.

        It is only stopped, too, if the driver has not accepted VIRTIO_F_VERSION_1. A device may
        fail then (virtio 1.2, 6.2); this one does: virtio_load takes the rings for legacy ones.
        """
        if self._state is not None:
            return
        self.stop(operation, recorder)
        if recorder.featureless:
            return
        self._state = SavedState(self._current)
        if not self._state.fill(self._qmp):
            self._drop_state()
            return
        self._still_since = None
        self.settle(recorder)
        recorder.tell(SAVED)

    def restore(self, operation: Op, recorder: Recorder) -> None:
        """Kill the process of a saved VM, and let a new one load its state and run.

        The drained sections of the old process end with it.
        """
        if self._state is None:
            return
        recorder.look(self.qemu.dequeues)
        recorder.tell(RESTORED)
        while self._open:
            self._open.pop()
            recorder.tell(DRAIN_END, value=len(self._open))
        self._move(self._state)
        self._drop_state()
        self.settle(recorder)
        self.cont(operation, recorder)

    def _move(self, state: SavedState) -> None:
        """Replace the process by a new one that loads a state.

        Raises:
            DeviceLost: it ends or hangs instead.
        """
        polling = self._polling
        self.qemu = self.qemu.successor(state.disk)
        self.processes += 1
        self._current = 0
        self.qemu.connect()
        self._qmp = self.qemu.qmp
        state.load(self._qmp)
        self._polling = False
        self._poll(polling)

    def system_reset(self, operation: Op, recorder: Recorder) -> None:
        """Reset the machine and wait until that is done; one that was saved is elsewhere."""
        if self._state is not None:
            return
        recorder.tell(RESET_CALL, flag=1)
        self._qmp.execute("system_reset")
        self._qmp.wait(lambda event: event["event"] == "RESET")
        self.settle(recorder)
        recorder.tell(RESET_RET)

    def resize(self, operation: Op, recorder: Recorder) -> None:
        """Change the capacity; QEMU refuses while the mirror job uses the disk.

        The disk of a saved VM belongs to another.
        """
        if self._state is not None:
            return
        sectors = operation.d + 1
        node = DISK_NODES[self._current]
        if self._try("block_resize", node_name=node, size=sectors * SECTOR_SIZE):
            recorder.tell(RESIZE, value=sectors)
            recorder.doubt(Witness.DISK)  # it is unknown before which requests it took effect

    def snapshot(self, operation: Op, recorder: Recorder) -> None:
        """Run a transaction that drains all disks within one callback and changes nothing."""
        self._try("transaction", actions=[{"type": "abort", "data": {}}])

    def set_iothread(self, operation: Op, recorder: Recorder) -> None:
        """Move the disk to another context; QEMU refuses while a device uses it."""
        iothread = IOTHREAD if operation.a == 0 else None
        self._try("x-blockdev-set-iothread", node_name=DISK_NODES[self._current], iothread=iothread)

    def poll_on(self, operation: Op, recorder: Recorder) -> None:
        """Let the IOThread poll."""
        self._poll(True)

    def poll_off(self, operation: Op, recorder: Recorder) -> None:
        """Let the IOThread wait for its notifiers."""
        self._poll(False)


def _is_job(event: dict[str, Any], status: str) -> bool:
    if event["event"] != "JOB_STATUS_CHANGE" or event["data"]["id"] != _JOB:
        return False
    if event["data"]["status"] == "aborting" != status:
        raise HarnessError("the mirror job has failed")
    return bool(event["data"]["status"] == status)


check_complete(Operator, WITHOUT)
_METHODS: Final[tuple[Callable[[Operator, Op, Recorder], None] | None, ...]] = tuple(
    getattr(Operator, spec.name, None) for spec in OPS
)
"""By operation code; None: a real QEMU has no such operation."""
