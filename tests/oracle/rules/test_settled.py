"""Whether everything had settled before an operation: the schedule, and what is still open."""

from __future__ import annotations

import pytest

from vblkfuzz.oracle.rules.settled import has_settled
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Deviation, Go, Role, Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import (
    DRAIN_CALL,
    DRAIN_END,
    OP,
    RESET_CALL,
    RESET_RET,
    START_CALL,
    START_RET,
    STOP_CALL,
    STOP_RET,
    VM_CONT,
    VM_STOP_CALL,
)

EVENTS = [Event(turn, OP, value=turn) for turn in range(3)]


def settled(*schedule: Deviation) -> list[bool]:
    """Before each operation."""
    scenario = Scenario(ops=(op("init"),) * 3, schedule=schedule)
    return [has_settled(scenario, EVENTS, event) for event in EVENTS]


def test_the_device_settles_before_each_operation_but_the_first() -> None:
    assert settled() == [False, True, True]


@pytest.mark.parametrize("go", Go)
def test_not_if_the_schedule_starts_the_operation_early(go: Go) -> None:
    assert settled(Deviation(0, 5, go)) == [False, go is not Go.NEXT, True]


@pytest.mark.parametrize("go", Go)
def test_not_if_the_schedule_holds_a_thread_over_the_operation(go: Go) -> None:
    """A thread that is held until another rests goes on before the operation ends."""
    over = go in (Go.NEXT, Go.GUEST, Go.VCPU)
    assert settled(Deviation(0, 5, go, role=Role.MAIN)) == [False, not over, True]


def test_the_epilogue_has_operations_of_its_own() -> None:
    scenario = Scenario(ops=(op("init"),), schedule=(Deviation(0, 5, Go.NEXT),))
    events = [Event(0, OP), Event(1, OP, head=1), Event(2, OP, head=1, value=1)]
    assert [has_settled(scenario, events, event) for event in events] == [False, False, True]


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        (DRAIN_CALL, DRAIN_END),
        (RESET_CALL, RESET_RET),
        (START_CALL, START_RET),
        (STOP_CALL, STOP_RET),
        (VM_STOP_CALL, VM_CONT),
    ],
)
def test_not_between_these_events_but_after_them(begin: int, end: int) -> None:
    first, second, third = EVENTS
    events = [first, Event(0, begin), second, Event(1, end), third]
    assert [has_settled(Scenario(), events, event) for event in EVENTS] == [False, False, True]
