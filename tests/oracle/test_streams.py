"""Which rule gets which events."""

from __future__ import annotations

import pytest

from tests.pure_build import pure_build
from vblkfuzz.oracle.answered import LIFE
from vblkfuzz.oracle.judge import judge
from vblkfuzz.oracle.naming.naming import Naming
from vblkfuzz.oracle.rule import Report, Rule, Situation
from vblkfuzz.oracle.streams import Streams
from vblkfuzz.oracle.verdict import Verdict
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import COLLECT, POP, PUSH, RESET_RET
from vblkfuzz.trace.trace import Trace

EVENTS = tuple(Event(turn, kind) for turn, kind in enumerate((POP, PUSH, POP, COLLECT)))
TRACE = Trace(EVENTS)


def nothing(scenario: Scenario, events: object, report: Report) -> None:
    """A rule that finds nothing."""


def rule(*needs: int, decisive: tuple[int, ...] = ()) -> Rule:
    situations = (Situation("never", "It never happens."),)
    return Rule("X", "", "", "", needs, situations, nothing, decisive=decisive)


def turns(streams: Streams) -> list[list[int]]:
    return [[event.turn for event in stream] for _, stream in streams.of_rules]


def test_a_rule_gets_the_kinds_that_it_needs_in_order() -> None:
    streams = Streams([rule(POP, COLLECT), rule(PUSH), rule(RESET_RET)])
    streams.sort(EVENTS)
    assert turns(streams) == [[0, 2, 3], [1], []]


def test_a_rule_with_decisive_kinds_gets_all_events_or_none() -> None:
    streams = Streams([rule(POP, COLLECT, decisive=(COLLECT,)), rule(POP, PUSH, decisive=(PUSH,))])
    streams.sort(EVENTS[:3])
    assert turns(streams) == [[], [0, 1, 2]]
    streams.clear()
    streams.sort(EVENTS)
    assert turns(streams) == [[0, 2, 3], [0, 1, 2]]


def test_the_life_of_requests_is_picked_out() -> None:
    streams = Streams([])
    streams.sort(EVENTS)
    assert [event.kind for event in streams.life] == [PUSH, COLLECT]
    assert POP not in LIFE


def test_cleared_streams_are_empty() -> None:
    streams = Streams([rule(POP), rule(POP, PUSH, decisive=(PUSH,))])
    streams.sort(EVENTS)
    streams.clear()
    assert turns(streams) == [[], []]
    assert streams.life == []


@pure_build
def test_a_rule_that_fails_leaves_nothing_to_the_next_trace() -> None:
    """The judge keeps its streams; those of a rule that has raised an error are full."""
    before = judge(Scenario(), TRACE)
    with pytest.MonkeyPatch.context() as patched:
        patched.delattr(Report, "violation")
        with pytest.raises(AttributeError):
            judge(Scenario(), TRACE)
    assert before.violations
    assert judge(Scenario(), TRACE) == before


@pure_build
def test_a_trace_may_be_judged_while_another_one_is() -> None:
    """Streams in use are not given to a second call, which may be one of another thread."""
    before = judge(Scenario(), TRACE)
    inner: list[Verdict] = []
    violation = Report.violation

    def judge_first(
        report: Report,
        first: Event,
        second: Event,
        sentence: str,
        state: str = "",
        naming: Naming | None = None,
    ) -> None:
        if not inner:
            inner.append(Verdict())  # judge just once
            inner[0] = judge(Scenario(), TRACE)
        violation(report, first, second, sentence, state, naming)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Report, "violation", judge_first)
        assert judge(Scenario(), TRACE) == before
    assert inner == [before]
