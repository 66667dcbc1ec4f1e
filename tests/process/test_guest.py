from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.driver.lone_guest import Guest
from vblkfuzz.driver import guest
from vblkfuzz.driver.guest import GuestDriver
from vblkfuzz.driver.transport import GuestSteps
from vblkfuzz.process.guest import GuestActor, GuestState, InlineRunner
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.trace.ring import TraceRing

DONE, PREEMPTED, WAITING = GuestState.DONE, GuestState.PREEMPTED, GuestState.WAITING


KICK = op("kick")


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What happens where a kick is a point, a wait, a point."""
    said: list[str] = []

    def run(driver: GuestDriver, operation: Op) -> GuestSteps:
        said.append(f"{operation.name} begins")
        yield None
        yield True
        yield None
        said.append(f"{operation.name} ends")

    monkeypatch.setitem(guest._METHODS, KICK.code, run)
    return said


def runner() -> tuple[InlineRunner, TraceRing]:
    alone = Guest()
    return InlineRunner(alone.driver, [KICK], alone.ring), alone.ring


def test_a_turn_ends_where_the_guest_waits(log: list[str]) -> None:
    some, ring = runner()
    assert some.run(0, 99, 7) == (2, WAITING)
    assert ring.turn == 7
    assert some.run(None, 99, 8) == (1, DONE)
    assert log == ["kick begins", "kick ends"]


def test_a_turn_ends_with_its_budget(log: list[str]) -> None:
    some, _ = runner()
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
