"""The operator: what QMP commands, block jobs and the run state do, from the main loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from vblkfuzz.dataplane.thread import POINT, Steps, Thread, causal
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.trace.event import Frame
from vblkfuzz.trace.kinds import POWER_LOSS, RESIZE, VM_CONT, VM_STOP_CALL, VM_STOP_RET

if TYPE_CHECKING:
    from collections.abc import Callable

    from vblkfuzz.dataplane.backend import Backend
    from vblkfuzz.dataplane.block_backend import BlockBackend
    from vblkfuzz.dataplane.lifecycle import Lifecycle
    from vblkfuzz.dataplane.lock import Lock
    from vblkfuzz.trace.ring import TraceRing

_DRAIN_END, _MIRROR_FINISH, _CONT = op("drain_end"), op("mirror_finish"), op("cont")


class OperatedMachine(Protocol):
    """What an operator acts on (`machine.Machine`)."""

    @property
    def blk(self) -> BlockBackend:
        """The device's BlockBackend."""

    @property
    def device(self) -> Lifecycle:
        """The one virtio device."""

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
        """Where the device process writes its events."""


class Operator:
    """Executes operator operations; a method a command, named like the operation."""

    def __init__(self, machine: OperatedMachine) -> None:
        self._machine = machine
        self._blk = machine.blk
        self._device = machine.device
        self.vm_running = True
        self._drains = 0
        """Sections begun by drain_begin and not ended."""
        self._mirroring = False

    def execute(self, thread: Thread, command: Op) -> Steps:
        """Run one command to its end."""
        steps: Steps = getattr(self, command.name)(thread, *command[1:])
        return steps

    def unfinished(self) -> Op | None:
        """The next command on the way to a VM that runs undrained."""
        if self._drains:
            return _DRAIN_END
        if self._mirroring:
            return _MIRROR_FINISH
        return None if self.vm_running else _CONT

    def drain_begin(self, thread: Thread, nopoll: int, *_: int) -> Steps:
        """Begin a drained section that stays open (bdrv_drained_begin)."""
        yield from self._blk.drained_begin(thread, poll=not nopoll)
        self._drains += 1

    def drain_end(self, thread: Thread, *_: int) -> Steps:
        """End the innermost section; without one there is nothing to do."""
        if self._drains:
            self._drains -= 1
            yield from self._blk.drained_end(thread)

    @causal(Frame.MIRROR)
    def mirror_begin(self, thread: Thread, *_: int) -> Steps:
        """The job has caught up and holds its source drained (mirror_run, in_drain)."""
        if not self._mirroring:
            yield from self._blk.drained_begin(thread, poll=True)
            self._mirroring = True

    @causal(Frame.MIRROR)
    def mirror_finish(self, thread: Thread, *_: int) -> Steps:
        """Switch the graph under nested drains, then end the long one (mirror_exit_common)."""
        if self._mirroring:
            self._mirroring = False
            yield from self._blk.drained_begin(thread, poll=False)  # bdrv_graph_wrlock
            yield POINT
            yield from self._blk.drained_end(thread)
            yield from self._blk.drain(thread)
            yield from self._blk.drained_end(thread)

    @causal(Frame.VM_STOP)
    def stop(self, thread: Thread, *_: int) -> Steps:
        """Pause the vCPUs, stop the device, drain (do_vm_stop)."""
        if not self.vm_running:
            return
        self._tell(VM_STOP_CALL, thread)
        self.vm_running = False
        yield from self._pause_vcpus(thread)
        yield from self._device.vm_stopped(thread)
        yield from self._blk.drained_begin(thread, poll=True)  # bdrv_drain_all
        self._device.vm_drained(thread)
        yield from self._blk.drained_end(thread)
        self._tell(VM_STOP_RET, thread)

    def _pause_vcpus(self, thread: Thread) -> Steps:
        """Let a pending exit end, without the BQL that it needs (pause_all_vcpus)."""
        bql, pending = self._machine.bql, self._machine.exit_pending
        while pending():
            bql.release()
            yield lambda: not pending()
            yield from bql.acquire(thread)

    @causal(Frame.VM_CONT)
    def cont(self, thread: Thread, *_: int) -> Steps:
        """Run the VM again (vm_start)."""
        if not self.vm_running:
            self._tell(VM_CONT, thread)
            yield from self._device.vm_continued(thread)
            self.vm_running = True  # resume_all_vcpus comes last

    @causal(Frame.SYSTEM_RESET)
    def system_reset(self, thread: Thread, *_: int) -> Steps:
        """Reset the machine while the vCPUs are paused; the driver is not told."""
        running, self.vm_running = self.vm_running, False
        yield from self._pause_vcpus(thread)
        yield from self._device.reset(thread, system=True)
        self.vm_running = running

    @causal(Frame.RESIZE)
    def resize(self, thread: Thread, _a: int, _b: int, _c: int, sectors: int, *_: int) -> Steps:
        """Change the capacity while drained; tell the driver from the main loop."""
        yield from self._blk.drained_begin(thread, poll=True)
        self._machine.backend.resize(sectors + 1)
        self._device.set_capacity(sectors + 1)
        self._tell(RESIZE, thread, sectors + 1)
        self._blk.main.schedule(self._config_interrupt)
        yield from self._blk.drained_end(thread)

    def _config_interrupt(self, thread: Thread) -> Steps:
        yield POINT
        self._device.notify_config(thread)

    def power_loss(self, thread: Thread, *_: int) -> Steps:
        """The host loses power and comes back: what was not flushed is gone, the VM boots."""
        yield from self.system_reset(thread)
        self._machine.backend.lose_power()
        self._tell(POWER_LOSS, thread)

    def set_iothread(self, thread: Thread, index: int, *_: int) -> Steps:
        """Choose the IOThread of queue 0; refused while the dataplane runs, as in QEMU."""
        yield POINT
        if not self._device.started:
            self._device.first_iothread = index

    @causal(Frame.SNAPSHOT)
    def snapshot(self, thread: Thread, *_: int) -> Steps:
        """Put an overlay on top, in one callback (external_snapshot_action)."""
        yield from self._blk.drained_begin(thread, poll=True)
        yield POINT
        yield from self._blk.drained_end(thread)

    def start_fail(self, thread: Thread, queue: int, *_: int) -> Steps:
        """Let the next start fail at a queue (the kernel refuses its ioeventfd)."""
        yield POINT
        self._device.start_fails_at = queue % len(self._device.ports)

    def _tell(self, kind: int, thread: Thread, value: int = 0) -> None:
        self._machine.ring.emit(
            kind, thread.actor, epoch=self._device.epoch, value=value, path=thread.path
        )
