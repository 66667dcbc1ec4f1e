from __future__ import annotations

from collections.abc import Sequence

import pytest

from vblkfuzz.driver.transport import GuestSteps
from vblkfuzz.process.guest import GuestActor, GuestState, InlineRunner
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.trace.ring import RING_BYTES, TraceRing

DONE, PREEMPTED, WAITING = GuestState.DONE, GuestState.PREEMPTED, GuestState.WAITING


class Driver:
    """Each operation: a point, a wait, a point."""

    def __init__(self) -> None:
        self.log: list[str] = []

    def run(self, operation: Op) -> GuestSteps:
        self.log.append(f"{operation.name} begins")
        yield None
        yield True
        yield None
        self.log.append(f"{operation.name} ends")


def runner(*names: str) -> tuple[InlineRunner, Driver, TraceRing]:
    driver, ring = Driver(), TraceRing(memoryview(bytearray(RING_BYTES)))
    ops = [op(name) for name in names]
    return InlineRunner(driver, ops, ring), driver, ring  # type: ignore[arg-type]  # no real driver


def test_a_turn_ends_where_the_guest_waits() -> None:
    some, driver, ring = runner("kick")
    assert some.run(0, 99, 7) == (2, WAITING)
    assert ring.turn == 7
    assert some.run(None, 99, 8) == (1, DONE)
    assert driver.log == ["kick begins", "kick ends"]


def test_a_turn_ends_with_its_budget() -> None:
    some, _, _ = runner("kick")
    assert some.run(0, 1, 1) == (1, PREEMPTED)
    assert some.run(None, 1, 2) == (1, WAITING)
    assert some.run(None, 1, 3) == (1, PREEMPTED)
    assert some.run(None, 1, 4) == (0, DONE)


class Runner:
    """Ends its turns with the given states."""

    def __init__(self, states: Sequence[GuestState]) -> None:
        self.states = list(states)
        self.indices: list[int | None] = []

    def run(self, index: int | None, budget: int, turn: int) -> tuple[int, GuestState]:
        self.indices.append(index)
        return 1, self.states.pop(0)


class Machine:
    """The state that the actor asks for: whether an exit is pending, whether the VM runs."""

    def __init__(self, *states: GuestState) -> None:
        self.pending = False
        self.running = True
        self.runner = Runner(states)
        self.actor = GuestActor(self.runner, lambda: not self.pending and self.running)


def test_without_operations_the_guest_is_not_ready() -> None:
    assert not Machine().actor.ready()


def test_operations_run_one_after_another() -> None:
    machine = Machine(PREEMPTED, DONE, DONE)
    machine.actor.assign(4)
    machine.actor.assign(5)
    while machine.actor.ready():
        machine.actor.resume(1, 1)
    assert machine.runner.indices == [4, None, 5]


@pytest.mark.parametrize("state", [PREEMPTED, WAITING])
def test_a_stopped_vm_does_not_run_its_guest(state: GuestState) -> None:
    machine = Machine(state, DONE)
    machine.actor.assign(0)
    machine.running = False
    assert not machine.actor.ready()
    machine.running = True
    machine.actor.resume(1, 1)
    machine.running = False
    assert not machine.actor.ready()


def test_a_waiting_guest_is_ready_when_its_exit_was_handled() -> None:
    machine = Machine(WAITING, DONE)
    machine.actor.assign(0)
    machine.actor.resume(1, 1)
    machine.pending = True
    assert not machine.actor.ready()
    machine.pending = False
    assert machine.actor.ready()


@pytest.mark.parametrize("state", [PREEMPTED, DONE])
def test_while_an_exit_is_posted_the_guest_gets_no_turn(state: GuestState) -> None:
    machine = Machine(state, DONE)
    machine.actor.assign(0)
    machine.actor.assign(1)
    machine.actor.resume(1, 1)
    machine.pending = True
    assert not machine.actor.ready()
    machine.pending = False
    assert machine.actor.ready()
