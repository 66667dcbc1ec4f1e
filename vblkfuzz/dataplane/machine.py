"""The machine: threads, BQL, event loops and one device, built anew for each execution.

It executes the operations of operator, backend and environment, and satisfies
`schedule.turnstile.World`. The guest is no part of it: the turnstile has the guest as an actor.
"""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Final

from vblkfuzz.dataplane.aio import AioContext
from vblkfuzz.dataplane.backend import Backend
from vblkfuzz.dataplane.backend_control import BackendControl
from vblkfuzz.dataplane.block_backend import BlockBackend
from vblkfuzz.dataplane.construction import constructed
from vblkfuzz.dataplane.device_state import DeviceState
from vblkfuzz.dataplane.disk_content import content
from vblkfuzz.dataplane.environment import Environment
from vblkfuzz.dataplane.lock import Lock
from vblkfuzz.dataplane.operator import Operator
from vblkfuzz.dataplane.registers import ARGUMENT, EXIT, Exit
from vblkfuzz.dataplane.thread import NO_STEPS, POINT, Steps, Thread, causal
from vblkfuzz.scenario.alphabet.ops import OPS
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.trace.event import NO_QUEUE, ActorId, Frame
from vblkfuzz.trace.kinds import DISK, OVERSLEPT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vblkfuzz.dataplane.board import Board
    from vblkfuzz.dataplane.request import Request
    from vblkfuzz.dataplane.virtio_blk import VirtioBlk
    from vblkfuzz.scenario.alphabet.spec import Owner
    from vblkfuzz.scenario.device import DeviceConfig


_RELEASE, _STOP = op("release"), op("stop")
_POWER_LOSS: Final = op("power_loss").code
# Looked up once: these are needed some six times an execution (docs/decisions/0010).
_NO_EXIT, _STATUS, _KICK, _QUEUE_RESET, _, _WRITEBACK = Exit


def check_methods(parts: Mapping[Owner, type]) -> None:
    """Check that the part of each owner has a method for each of its operations.

    Raises:
        TypeError: one has not.
    """
    for spec in OPS:
        part = parts.get(spec.owner)
        if part is not None and not hasattr(part, spec.name):
            raise TypeError(
                f"{part.__module__}: expected a method {spec.name} of {part.__name__}, for its row "
                "in the alphabet"
            )


check_methods({"operator": Operator, "backend": BackendControl, "environment": Environment})


class Machine:
    """Everything in the device process during one execution."""

    def __init__(self, board: Board, config: DeviceConfig, device_class: type[VirtioBlk]) -> None:
        self._board = board
        self.bql = Lock()
        event_loop = partial(constructed, device_class.aio_context, AioContext, "_waits")
        main = event_loop(ActorId.MAIN)
        self.iothreads = [
            event_loop(ActorId(ActorId.IO0 + index), polling=config.polling)
            for index in range(config.iothreads)
        ]
        self.backend = Backend(board.memory, board.ring, config.disk_sectors, self._deliver)
        self.blk = constructed(
            device_class.block_backend, BlockBackend, "_ring", self.backend, board.ring, main
        )
        self._config = config
        self._device_class = device_class
        self._main = main
        self.device = self._plug()
        self.ring = board.ring
        self.exit_pending = board.registers.exit_pending
        self.operator = constructed(device_class.operator, Operator, "_config_interrupts", self)
        self._backend_control = BackendControl(self.backend)
        self._environment = Environment(self.iothreads)
        self._commands: deque[Op] = deque()
        self.vcpu = Thread(ActorId.VCPU, self.exit_pending, self._handle_exit)
        self.threads = [
            self.vcpu,
            Thread(ActorId.MAIN, self._main_has_work, self._main_loop),
            *(
                Thread(ActorId(context.actor), context.has_work, context.run_once)
                for context in self.iothreads
            ),
        ]
        """In the order in which the turnstile checks whether they are ready."""

    def _plug(self) -> VirtioBlk:
        """Return a new device, in the state after power-on, that uses the BlockBackend."""
        parts = self._board, self._config, self.blk, self._main, self.iothreads
        device = constructed(self._device_class, DeviceState, "start_fails_at", *parts)
        self.blk.device = device
        device.request_vm_stop = self._request_vm_stop
        return device

    def replace_device(self) -> VirtioBlk:
        """Throw the device away and plug in a new one, which is returned.

        With it go its handlers and pending calls. The drained sections stay open, and what the
        operator has chosen for the next start stays. Serial numbers of the trace go on.
        """
        old, new = self.device, self._plug()
        for index in old.pending_calls():
            self._board.calls[index].clear()
        for port in old.ports:
            for context in (self._main, *self.iothreads):
                context.detach(port.index)
        new.epoch, new.pops, new.notifiers_opened = old.epoch, old.pops, old.notifiers_opened
        new.first_iothread, new.start_fails_at = old.first_iothread, old.start_fails_at
        self.device = new
        return new

    # --- What a scenario does to the machine --------------------------------------------------

    def perform(self, operation: Op) -> None:
        """Begin an operation of operator, backend or environment.

        The main loop executes those of the operator; the others take effect at once. So does a loss
        of power, after which the main loop only has to boot the VM.
        """
        code = operation[0]
        spec = OPS[code]
        if spec.owner == "operator":
            if code == _POWER_LOSS:
                self.operator.begin_power_loss()
            self._commands.append(operation)
        else:
            at_once = self._environment if spec.owner == "environment" else self._backend_control
            getattr(at_once, spec.name)(*operation[1:])

    def unfinished(self) -> Op | None:
        """The next operation that brings the machine to rest: I/O and drains ended, VM running.

        None when it is at rest.
        """
        if self.backend.holding or self.backend.holds_any():
            return _RELEASE
        return self.operator.unfinished()

    @property
    def vm_running(self) -> bool:
        """Whether no operator and no error has stopped the VM."""
        return self.operator.vm_running

    def guest_may_run(self) -> bool:
        """Whether no exit is pending and the VM runs."""
        return not self._board.registers.words[EXIT] and self.operator.vm_running

    def show_settled(self, ops: Sequence[Op]) -> None:
        """Record the event loops that sleep on, and the disk after these operations."""
        self._show_sleepers()
        self._show_disk(ops)

    def _show_disk(self, ops: Sequence[Op]) -> None:
        """Record the content of the disk, whether a read has shown it."""
        emit, harness = self.ring.emit, ActorId.HARNESS
        for number, data, mixed in content(self.backend.disk, ops):
            emit(DISK, harness, NO_QUEUE, mixed, number, 0, 0, data, 0)

    def _show_sleepers(self) -> None:
        """Record the event loops that sleep although something waits for them."""
        for context in (self._main, *self.iothreads):
            for what, number in enumerate(context.overslept()):
                if number:
                    self.ring.emit(OVERSLEPT, context.actor, NO_QUEUE, what, value=number)

    def in_flight(self) -> int:
        """Requests in flight, mod 2^16: the count of a faulty device may be negative."""
        return self.blk.in_flight & 0xFFFF

    # --- Threads ------------------------------------------------------------------------------

    def _deliver(self, request: Request) -> None:
        self.blk.deliver(request)

    def _request_vm_stop(self) -> None:
        """Let the main loop stop the VM after an I/O error (qemu_system_vmstop_request)."""
        self._commands.append(_STOP)

    def _main_has_work(self) -> bool:
        if self._commands:
            return True
        return self._main.has_work()

    def _main_loop(self, thread: Thread) -> Steps:
        """One turn of the main loop: a command, or else one unit of its context.

        The loop polls without the BQL and takes it to dispatch (os_host_main_loop_wait), so a vCPU
        that waits for the BQL may go first. The point with which a unit starts is therefore passed
        before the BQL is taken.
        """
        if self._commands:
            yield from self.bql.acquire(thread)
            yield from self.operator.execute(thread, self._commands.popleft())
            self._main.notified = True  # awake: it looks for bottom halves before it sleeps
        else:
            yield POINT
            yield from self.bql.acquire(thread)
            unit = self._main.run_once(thread) if self._main.has_work() else NO_STEPS
            start = next(unit, POINT)
            if start is not POINT:
                yield start
            yield from unit
        self.bql.release()

    def _handle_exit(self, thread: Thread) -> Steps:
        """Handle one VM exit under the BQL; the guest goes on afterwards."""
        yield from self.bql.acquire(thread)
        yield POINT
        words = self._board.registers.words
        reason, argument = words[EXIT], words[ARGUMENT]
        self.device.latch_queues(thread)
        if reason == _STATUS:
            yield from self.device.write_status(thread, argument)
        elif reason == _KICK:
            yield from self.kick_directly(thread, argument)
        elif reason == _QUEUE_RESET:
            yield from self.reset_queue(thread, argument)
        elif reason == _WRITEBACK:
            self.device.set_writeback(bool(argument))
        words[EXIT] = _NO_EXIT
        self.bql.release()

    @causal(Frame.DIRECT_KICK)
    def kick_directly(self, thread: Thread, index: int) -> Steps:
        """Handle a kick that exited: set the open notifier, or handle the queue here.

        QEMU: virtio_queue_notify. A queue that the device does not have has no handler there.
        """
        if index >= len(self.device.ports):
            return
        port = self.device.ports[index]
        if port.notifier.is_open:
            port.notifier.set_own()
        else:
            yield from self.device.handle_output(thread, port)

    @causal(Frame.QUEUE_RESET)
    def reset_queue(self, thread: Thread, index: int) -> Steps:
        """The driver resets one queue. The frame is here: a device that overrides it keeps it."""
        yield from self.device.reset_queue(thread, self.device.ports[index])
