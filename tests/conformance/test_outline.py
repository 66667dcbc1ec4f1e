"""What an outline leaves out: when something was seen, but not between which acts."""

from __future__ import annotations

from tests.conformance.outline import Outline, outline
from vblkfuzz.executor import Execution
from vblkfuzz.oracle.judge import judge
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import ActorId, Event
from vblkfuzz.trace.kinds import DRAIN_CALL, DRAIN_RET, OP, POP, PUBLISH, PUSH
from vblkfuzz.trace.trace import Trace


def of(*events: Event) -> Outline:
    trace = Trace(events)
    return outline(Execution(Scenario(), trace, judge(Scenario(), trace)))


def seen(turn: int, kind: int) -> Event:
    return Event(turn, kind, ActorId.IO0, 0, request=1)


def published(turn: int) -> tuple[Event, Event]:
    return Event(turn, OP), Event(turn + 1, PUBLISH, ActorId.GUEST, 0, request=1)


def test_how_often_is_looked_does_not_count() -> None:
    end = Event(9, OP)
    once = of(*published(1), seen(2, POP), seen(2, PUSH), end)
    assert once == of(*published(1), seen(3, POP), seen(3, PUSH), end)
    assert once == of(*published(1), seen(3, POP), seen(4, PUSH), end)


def test_whether_an_act_came_before_does_count() -> None:
    calls = (Event(4, DRAIN_CALL), Event(6, DRAIN_RET))
    outlines = {of(*published(1), *sorted((*calls, seen(turn, POP)))) for turn in (3, 5, 7)}
    assert len(outlines) == 3
