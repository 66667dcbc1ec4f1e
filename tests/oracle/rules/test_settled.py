"""What the schedule has to do with whether everything had settled before an operation."""

from __future__ import annotations

import pytest

from vblkfuzz.oracle.rules.settled import has_settled
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Deviation, Go, Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import OP

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


def test_the_epilogue_has_operations_of_its_own() -> None:
    scenario = Scenario(ops=(op("init"),), schedule=(Deviation(0, 5, Go.NEXT),))
    events = [Event(0, OP), Event(1, OP, head=1), Event(2, OP, head=1, value=1)]
    assert [has_settled(scenario, events, event) for event in events] == [False, False, True]
