"""One execution in the device process, or inline: power on, then run the turnstile."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.dataplane.board import Board
from vblkfuzz.dataplane.machine import Machine
from vblkfuzz.dataplane.notifier import EventNotifier, OrderingNotifier
from vblkfuzz.dataplane.registers import CALL_RUNG, KICK_RUNG, QUEUE_WORDS, QUEUES
from vblkfuzz.driver.guest import GuestDriver
from vblkfuzz.limits import MAX_QUEUES
from vblkfuzz.process.blame import fault_of, report_of
from vblkfuzz.process.guest import GuestActor, GuestRunner, InlineRunner
from vblkfuzz.process.lookout import Lookout
from vblkfuzz.process.mailbox import MailboxTransport
from vblkfuzz.scenario.codec import encode
from vblkfuzz.schedule.delay import DelayingTurnstile
from vblkfuzz.schedule.steered import SteeredTurnstile
from vblkfuzz.schedule.turnstile import Turnstile
from vblkfuzz.trace.event import NO_QUEUE, ActorId

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vblkfuzz.dataplane.virtio_blk import VirtioBlk
    from vblkfuzz.process.arena import Arena
    from vblkfuzz.process.own_code import OwnCode
    from vblkfuzz.scenario.device import DeviceConfig
    from vblkfuzz.scenario.op import Op
    from vblkfuzz.scenario.scenario import Deviation, Scenario
    from vblkfuzz.schedule.steering import Steering
    from vblkfuzz.trace.fault import Fault
    from vblkfuzz.trace.ring import TraceRing

    MakeTurnstile = Callable[[Scenario, Machine, GuestActor], Turnstile]


class SharedParts:
    """The arena and the eventfds: they outlive executions, and guest and device inherit them."""

    def __init__(self, arena: Arena, *, alone: bool = False) -> None:
        """Make the notifiers; `alone`: one process runs guest and device and needs no eventfds."""
        self.arena = arena
        self.fds: Final[list[int]] = []
        """The eventfds. `close` closes them."""
        bells = [QUEUES + index * QUEUE_WORDS for index in range(MAX_QUEUES)]
        self.kicks = [self._notifier(bell + KICK_RUNG, alone=alone) for bell in bells]
        self.calls = [self._notifier(bell + CALL_RUNG, alone=alone) for bell in bells]
        self.board = Board(arena.memory, arena.registers, self.kicks, self.calls, arena.device_ring)
        self.silence()

    def _notifier(self, bell: int, *, alone: bool) -> EventNotifier:
        fd = None if alone else os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        if fd is not None:
            self.fds.append(fd)
        return EventNotifier(fd, self.arena.registers.words, bell)

    def silence(self) -> None:
        """Clear all eventfds and their words in the registers; a kill can make the two differ."""
        for fd in self.fds:
            with suppress(BlockingIOError):
                os.read(fd, 8)
        self.arena.registers.clear()

    def power_on(self, queues: int) -> None:
        """Set all shared state back to that before the first execution."""
        for notifier in (*self.kicks[:queues], *self.calls[:queues]):
            notifier.power_on()
        self.arena.registers.clear()
        self.arena.stores.end()
        self.arena.clear_memory()
        self.arena.device_ring.clear()
        self.arena.guest_ring.clear()

    def ordering_board(self) -> Board:
        """Return a board whose eventfds are store barriers, for schedules that delay stores."""
        arena, memory = self.arena, self.arena.memory
        kicks = [OrderingNotifier(kick, memory) for kick in self.kicks]
        calls = [OrderingNotifier(call, memory) for call in self.calls]
        return Board(memory, arena.registers, kicks, calls, arena.device_ring)

    def inline_runner(self, config: DeviceConfig, ops: tuple[Op, ...]) -> InlineRunner:
        """Return a runner of the driver in the device's process; it writes to the device's ring."""
        return self._runner(config, ops, self.arena.device_ring)

    def guest_runner(self, config: DeviceConfig, ops: tuple[Op, ...]) -> InlineRunner:
        """Return a runner of the driver in the guest process; it writes to the guest's ring."""
        return self._runner(config, ops, self.arena.guest_ring)

    def _runner(self, config: DeviceConfig, ops: tuple[Op, ...], ring: TraceRing) -> InlineRunner:
        transport = MailboxTransport(self.arena.registers, self.kicks, self.calls)
        return InlineRunner(GuestDriver(self.arena.memory, transport, config, ring), ops, ring)

    def close(self) -> None:
        """Close the eventfds."""
        while self.fds:
            os.close(self.fds.pop())


class Broken(NamedTuple):
    """What a user's device did wrong that ended an execution."""

    fault: Fault
    stack: str
    """For people."""


class Ran:
    """One execution that has ended."""

    __slots__ = ("broken", "machine", "turnstile")

    def __init__(self) -> None:
        self.machine: Machine | None = None
        """None: the device could not be made."""
        self.turnstile: Turnstile | None = None
        self.broken: Broken | None = None
        """None: it came to rest."""

    @property
    def steps(self) -> int:
        """Preemption points passed."""
        return self.turnstile.steps if self.turnstile else 0

    @property
    def points(self) -> tuple[int, ...]:
        """As in `Trace`."""
        return tuple(self.turnstile.points) if self.turnstile else ()

    @property
    def obeyed(self) -> tuple[bool, ...]:
        """As in `Trace`."""
        return tuple(self.turnstile.obeyed) if self.turnstile else ()

    @property
    def overtaken(self) -> tuple[tuple[int, int], ...]:
        """As in `Trace`."""
        return tuple(self.turnstile.overtaken) if self.turnstile else ()


def execute(
    parts: SharedParts,
    scenario: Scenario,
    device_class: type[VirtioBlk],
    make_runner: Callable[[DeviceConfig, tuple[Op, ...]], GuestRunner],
    own: OwnCode | None = None,
    make_turnstile: MakeTurnstile | None = None,
) -> Ran:
    """Run a scenario from power-on to rest, or to where the device's own code fails.

    Afterwards the trace is in the rings of the arena.

    Args:
        parts: what outlives the execution.
        scenario: what happens.
        device_class: what it happens to.
        make_runner: makes the guest.
        own: what the device is blamed for; None: nothing.
        make_turnstile: makes what decides who goes on, for actors whose stores are not delayed;
            None: the scenario decides.
    """
    parts.power_on(scenario.device.queues)
    ran = Ran()
    try:
        delays = scenario.delays and make_turnstile is None
        board = parts.ordering_board() if delays else parts.board
        ran.machine = machine = Machine(board, scenario.device, device_class)
        runner = make_runner(scenario.device, scenario.ops)
        guest = GuestActor(runner, machine.guest_may_run)
        if make_turnstile is not None:
            ran.turnstile = make_turnstile(scenario, machine, guest)
        elif delays:
            ran.turnstile = _delaying_turnstile(parts, scenario, machine, guest)
        else:
            ran.turnstile = Turnstile(scenario, machine, guest, board.ring)
        ran.turnstile.run()
    except BaseException as error:
        fault = fault_of(error, own) if own else None
        if fault is None:
            raise
        ran.broken = Broken(fault, report_of(error))
        _break_off(ran, parts.arena.device_ring, recursed=isinstance(error, RecursionError))
    return ran


def _break_off(ran: Ran, ring: TraceRing, *, recursed: bool) -> None:
    """End a trace where the device failed, and end what it has begun elsewhere."""
    if recursed:  # how often it went round depends on who called us
        ring.forget_turn()
    assert ran.broken is not None
    fault = ran.broken.fault
    ring.emit(fault.kind, ActorId.MAIN, NO_QUEUE, fault.signal, 0, 0, 0, fault.status, fault.digest)
    written = ring.written
    if ran.machine is not None:
        if ran.turnstile is not None:
            ran.turnstile.broken_off(sum(thread.passed for thread in ran.machine.threads))
        for thread in ran.machine.threads:
            thread.abandon()
    ring.cut(written)


def steered_by(steering: Steering, arena: Arena) -> MakeTurnstile:
    """Return what makes turnstiles that a scheduler steers.

    The arena keeps what it has decided so far.
    """

    def make(scenario: Scenario, machine: Machine, guest: GuestActor) -> Turnstile:
        policy = steering.policy(scenario)
        turnstile = SteeredTurnstile(scenario, machine, guest, machine.ring, policy)
        turnstile.happened = Lookout((arena.device_ring, arena.guest_ring)).new

        def keep(decided: Sequence[Deviation]) -> None:
            arena.steered.write(encode(replace(scenario, schedule=tuple(decided))))

        turnstile.on_decision = keep
        return turnstile

    return make


def _delaying_turnstile(
    parts: SharedParts, scenario: Scenario, machine: Machine, guest: GuestActor
) -> Turnstile:
    """Return a turnstile that delays stores; each thread does a barrier before a unit of work."""
    for thread in machine.threads:
        thread.before_work(parts.arena.stores.barrier)
    return DelayingTurnstile(scenario, machine, guest, machine.ring, parts.arena.stores)
