"""The operator: QMP commands, block jobs and changes of the run state, in the main loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from vblkfuzz.dataplane.saved_state_check import check_loaded, checked_save
from vblkfuzz.dataplane.thread import POINT, Steps, Thread, causal
from vblkfuzz.scenario.alphabet.ops import NOT_WHILE_SAVED, OPS
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.trace.event import ActorId, Frame
from vblkfuzz.trace.kinds import (
    FLUSHED,
    POWER_LOSS,
    RESIZE,
    RESTORED,
    SAVED,
    VM_CONT,
    VM_STOP_CALL,
    VM_STOP_RET,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from vblkfuzz.dataplane.backend import Backend
    from vblkfuzz.dataplane.block_backend import BlockBackend
    from vblkfuzz.dataplane.lock import Lock
    from vblkfuzz.dataplane.migration import Migration
    from vblkfuzz.dataplane.saved_state import SavedState
    from vblkfuzz.trace.ring import TraceRing

_DRAIN_END, _MIRROR_FINISH = op("drain_end"), op("mirror_finish")
_RESTORE, _CONT = op("restore"), op("cont")
_BACKUP: Final = 0
"""Code of the kind of a block job."""


class OperatedMachine(Protocol):
    """What an operator uses of the machine (`machine.Machine`)."""

    @property
    def blk(self) -> BlockBackend:
        """The device's BlockBackend."""

    @property
    def device(self) -> Migration:
        """The one virtio device."""

    def replace_device(self) -> Migration:
        """Throw the device away and plug in a new one, which is returned."""

    @property
    def backend(self) -> Backend:
        """The disk below the BlockBackend."""

    @property
    def bql(self) -> Lock:
        """The big QEMU lock."""

    @property
    def exit_pending(self) -> Callable[[], bool]:
        """Whether a vCPU waits for the BQL in a VM exit."""

    @property
    def ring(self) -> TraceRing:
        """Events of the device process."""


class Operator:
    """Executes the operator's operations: one method for each, with the name of the operation."""

    def __init__(self, machine: OperatedMachine) -> None:
        self._machine = machine
        self._blk = machine.blk
        self._device = machine.device
        self.vm_running = True
        self._drains = 0
        """Sections that drain_begin has begun and that are still open."""
        self._mirroring = False
        self._saved: SavedState | None = None
        """State of the VM from `save` to `restore`."""
        self._config_interrupts = 0
        """Interrupts of resizes that have not been sent yet."""

    def execute(self, thread: Thread, command: Op) -> Steps:
        """Run one command to its end; on a saved VM some do nothing: it is elsewhere."""
        code = command[0]
        if self._saved is None or code not in NOT_WHILE_SAVED:
            yield from getattr(self, OPS[code].name)(thread, *command[1:])

    def unfinished(self) -> Op | None:
        """The next command that leads to a running VM without drains; None if it is one."""
        if self._drains:
            return _DRAIN_END
        if self._mirroring:
            return _MIRROR_FINISH
        if self._saved is not None:
            return _RESTORE
        return None if self.vm_running else _CONT

    def drain_begin(self, thread: Thread, nopoll: int, *_: int) -> Steps:
        """Begin a drained section that stays open (bdrv_drained_begin).

        With `nopoll`, do not wait for requests in flight.
        """
        yield from self._blk.drained_begin(thread, poll=not nopoll)
        self._drains += 1

    def drain_end(self, thread: Thread, *_: int) -> Steps:
        """End the innermost section; no effect if none is open."""
        if self._drains:
            self._drains -= 1
            yield from self._blk.drained_end(thread)

    @causal(Frame.MIRROR)
    def mirror_begin(self, thread: Thread, *_: int) -> Steps:
        """Drain the source of a mirror job that has caught up (mirror_run, in_drain)."""
        if not self._mirroring:
            yield from self._blk.drained_begin(thread, poll=True)
            self._mirroring = True

    @causal(Frame.MIRROR)
    def mirror_finish(self, thread: Thread, cancelled: int, *_: int) -> Steps:
        """Switch the graph in nested drains, then end that of mirror_begin (mirror_exit_common).

        A job that is `cancelled` does not switch it.
        """
        if self._mirroring:
            self._mirroring = False
            if not cancelled:
                yield from self._change_graph(thread)
                yield from self._blk.drain(thread)
            yield from self._blk.drained_end(thread)

    def _change_graph(self, thread: Thread) -> Steps:
        """Change the graph (bdrv_graph_wrlock), within a drained section that does not poll."""
        yield from self._blk.drained_begin(thread, poll=False)
        yield POINT
        yield from self._blk.drained_end(thread)

    @causal(Frame.VM_STOP)
    def stop(self, thread: Thread, *_: int) -> Steps:
        """Pause the vCPUs, stop the device, drain, flush (do_vm_stop)."""
        if not self.vm_running:
            return
        self._trace(VM_STOP_CALL, thread)
        self.vm_running = False
        yield from self._pause_vcpus(thread)
        yield from self._device.vm_stopped(thread)
        yield from self._blk.drained_begin(thread, poll=True)  # bdrv_drain_all
        self._device.vm_drained(thread)
        yield from self._blk.drained_end(thread)
        self.flush_all(thread)
        self._trace(VM_STOP_RET, thread)

    def flush_all(self, thread: Thread) -> None:
        """Flush the backend: a stopped VM may be saved or migrated (bdrv_flush_all)."""
        self._machine.backend.sync()
        self._trace(FLUSHED, thread)

    def _pause_vcpus(self, thread: Thread) -> Steps:
        """Wait for a pending exit with the BQL released, which it needs (pause_all_vcpus)."""
        bql, pending = self._machine.bql, self._machine.exit_pending
        while pending():
            bql.release()
            yield lambda: not pending()
            yield from bql.acquire(thread)

    @causal(Frame.VM_CONT)
    def cont(self, thread: Thread, *_: int) -> Steps:
        """Run the VM again (vm_start)."""
        if not self.vm_running:
            self._trace(VM_CONT, thread)
            yield from self._device.vm_continued(thread)
            self.vm_running = True  # resume_all_vcpus comes last

    def save(self, thread: Thread, *_: int) -> Steps:
        """Stop the VM, save its state, give the disk away (QMP migrate, migration_completion).

        A configuration interrupt is not part of the state: it is sent before.
        """
        yield from self.stop(thread)
        yield from self._blk.main.wait_while(thread, lambda: self._config_interrupts > 0)
        self._saved = checked_save(self._device)
        self._trace(SAVED, thread)

    def restore(self, thread: Thread, *_: int) -> Steps:
        """Let a new device go on from the saved state, and run the VM (-incoming).

        The notifiers of a start are set when they are created, so each queue is looked at.
        """
        state, self._saved = self._saved, None
        if state is not None:
            self._blk.cancel_parked()
            self._device = self._machine.replace_device()
            self._trace(RESTORED, thread)
            self._device.load_state(thread, state)
            check_loaded(self._device)
            yield from self.cont(thread)
            self._device.raise_calls(thread, state)

    @causal(Frame.SYSTEM_RESET)
    def system_reset(self, thread: Thread, *_: int) -> Steps:
        """Reset the machine while the vCPUs are paused; the driver gets no notice of it."""
        running, self.vm_running = self.vm_running, False
        yield from self._pause_vcpus(thread)
        yield from self._device.reset(thread, system=True)
        self.vm_running = running

    @causal(Frame.REPLUG)
    def replug(self, thread: Thread, *_: int) -> Steps:
        """Unplug the device and plug in a new one (device_del, device_add).

        The guest ejects the device in a VM exit, so no other exit is pending. The drained sections
        are those of the disk: they stay open.
        """
        running, self.vm_running = self.vm_running, False
        yield from self._pause_vcpus(thread)
        yield from self._device.unplug(thread)
        self._device = self._machine.replace_device()
        self._device.set_capacity(self._machine.backend.sectors)
        self.vm_running = running

    @causal(Frame.RESIZE)
    def resize(self, thread: Thread, _a: int, _b: int, _c: int, sectors: int, *_: int) -> Steps:
        """Change the capacity while drained; the main loop then interrupts the driver."""
        yield from self._blk.drained_begin(thread, poll=True)
        self._machine.backend.resize(sectors + 1)
        self._device.set_capacity(sectors + 1)
        self._trace(RESIZE, thread, sectors + 1)
        self._config_interrupts += 1
        self._blk.main.schedule(self._config_interrupt)
        yield from self._blk.drained_end(thread)

    def _config_interrupt(self, thread: Thread) -> Steps:
        yield POINT
        self._config_interrupts -= 1
        self._device.notify_config(thread)

    def begin_power_loss(self) -> None:
        """Lose the power of the host, whatever the main loop does: unflushed writes are lost."""
        self._machine.backend.lose_power()
        self._machine.ring.emit(POWER_LOSS, ActorId.HARNESS, epoch=self._device.epoch)

    def power_loss(self, thread: Thread, *_: int) -> Steps:
        """Boot the VM again after the power was lost (`begin_power_loss`)."""
        yield from self.system_reset(thread)

    def set_iothread(self, thread: Thread, index: int, *_: int) -> Steps:
        """Choose the IOThread of queue 0; refused while the dataplane runs, as in QEMU."""
        yield POINT
        if not self._device.started:
            self._device.first_iothread = index

    @causal(Frame.SNAPSHOT)
    def snapshot(self, thread: Thread, *_: int) -> Steps:
        """Put an overlay on top, in one callback (external_snapshot_action)."""
        yield from self._drain_for_a_moment(thread)

    @causal(Frame.BLOCK_JOB)
    def block_job(self, thread: Thread, kind: int, *_: int) -> Steps:
        """Insert the filter node of a job while drained, and remove it when the job ends.

        Commit and stream then change the graph in a section within (commit_clean, stream_prepare);
        backup only drops its filter (bdrv_cbw_drop).
        """
        yield from self._drain_for_a_moment(thread)
        yield POINT
        yield from self._blk.drained_begin(thread, poll=True)
        if kind != _BACKUP:
            yield from self._change_graph(thread)
        yield from self._blk.drained_end(thread)

    @causal(Frame.REOPEN)
    def reopen(self, thread: Thread, *_: int) -> Steps:
        """Reopen a node (bdrv_reopen_multiple, which drains all)."""
        yield from self._drain_for_a_moment(thread)

    @causal(Frame.THROTTLE)
    def throttle(self, thread: Thread, removed: int, *_: int) -> Steps:
        """Set limits without a drain, or remove them in one (blk_io_limits_disable)."""
        yield POINT
        if removed:
            yield from self._drain_for_a_moment(thread)

    def _drain_for_a_moment(self, thread: Thread) -> Steps:
        yield from self._blk.drained_begin(thread, poll=True)
        yield POINT
        yield from self._blk.drained_end(thread)

    def start_fail(self, thread: Thread, queue: int, *_: int) -> Steps:
        """Let the next start fail at a queue (as if the kernel refused its ioeventfd)."""
        yield POINT
        self._device.start_fails_at = queue % len(self._device.ports)

    def _trace(self, kind: int, thread: Thread, value: int = 0) -> None:
        self._machine.ring.emit(
            kind, thread.actor, epoch=self._device.epoch, value=value, path=thread.path
        )
