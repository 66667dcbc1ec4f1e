"""The situation of S33: after which deviations a loop is known to have slept."""

from __future__ import annotations

import pytest

from vblkfuzz.oracle.judge import judge
from vblkfuzz.scenario.scenario import Deviation, Go, Role, Scenario
from vblkfuzz.trace.event import ActorId, Event
from vblkfuzz.trace.kinds import DRAIN_CALL, MEMWRITE, OP
from vblkfuzz.trace.trace import Trace
from vblkfuzz.trace.witness import Witness

OPENED, COMPLETED = (
    Event(1, DRAIN_CALL, ActorId.MAIN, flag=1, value=1),
    Event(3, MEMWRITE, ActorId.IO0, queue=0, request=1),
)


def slept(schedule: tuple[Deviation, ...], *, operation: int = 1, epilogue: bool = False) -> bool:
    """Whether the situation is met if the section is opened before this operation."""
    start = Event(0, OP, ActorId.HARNESS)
    again = Event(2, OP, ActorId.HARNESS, head=epilogue, value=operation)
    trace = Trace((start, OPENED, again, COMPLETED), witnesses=Witness.DEVICE)
    return "loop_woken_in_drain" in judge(Scenario(schedule=schedule), trace).situations


def test_all_sleep_when_no_deviation_begins_the_operation() -> None:
    assert slept(())


@pytest.mark.parametrize("deviation", [Deviation(0, 1, Go.IO0), Deviation(1, 1, Go.NEXT)])
def test_other_deviations_do_not_matter(deviation: Deviation) -> None:
    assert slept((deviation,))


@pytest.mark.parametrize("operation", [1, 2, 3])
def test_an_operation_that_a_deviation_begins_finds_threads_awake(operation: int) -> None:
    assert not slept((Deviation(operation - 1, 1, Go.NEXT),), operation=operation)


def test_so_does_one_over_which_a_thread_is_held() -> None:
    assert not slept((Deviation(0, 1, Go.GUEST, role=Role.IO0),))
    assert slept((Deviation(0, 1, Go.MAIN, role=Role.IO0),))


@pytest.mark.parametrize("operation", [0, 1])
def test_the_epilogue_begins_when_all_sleep(operation: int) -> None:
    assert slept((Deviation(0, 1, Go.NEXT),), operation=operation, epilogue=True)
