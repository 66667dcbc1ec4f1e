"""No rule tells the order of independent events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from vblkfuzz.explore.dpor import Touched, history, independent
from vblkfuzz.oracle.judge import judge
from vblkfuzz.scenario.artifact import read_input
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.model import model
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import OP
from vblkfuzz.trace.trace import Trace

CORPUS = Path(__file__).resolve().parent.parent.parent / "corpus"
FILES = sorted((*CORPUS.glob("regress/s*/scenario.toml"), *CORPUS.glob("defects/*/scenario.toml")))


@cache
def executed(path: Path) -> tuple[Scenario, Trace]:
    artifact = read_input(str(path))
    with model(artifact.device, "inline") as target:
        return artifact.scenario, target.run(artifact.scenario)


def swapped(trace: Trace, place: int) -> Trace:
    events = list(trace.events)
    one, two = events[place : place + 2]
    # The turns stay where they are: their order is that of the events.
    events[place : place + 2] = two._replace(turn=one.turn), one._replace(turn=two.turn)
    return replace(trace, events=tuple(events))


def may_move(scenario: Scenario, event: Event) -> bool:
    """Whether it may come earlier or later: only a hurried operation does not wait."""
    hurried = {each.op for each in scenario.schedule if each.hurries}
    return event.kind != OP or event.value - 1 in hurried


def signatures(scenario: Scenario, trace: Trace) -> set[str]:
    return {one.signature for one in judge(scenario, trace).violations}


def _model_only(path: Path) -> bool:
    return read_input(str(path)).target == "model"


MODEL_FILES = [path for path in FILES[::3] if _model_only(path)]


def pairs(trace: Trace) -> Iterator[tuple[int, Event, Event]]:
    """Yield events that follow one another, with the place of the first."""
    for place, (one, two) in enumerate(zip(trace.events, trace.events[1:], strict=False)):
        yield place, one, two


def test_a_verdict_does_not_depend_on_the_order_of_independent_events() -> None:
    tried = 0
    for path in MODEL_FILES:
        scenario, trace = executed(path)
        for place, one, two in pairs(trace):
            if independent(one, two) and may_move(scenario, one) and may_move(scenario, two):
                other = swapped(trace, place)
                assert signatures(scenario, other) == signatures(scenario, trace), (path, place)
                tried += 1
    assert tried > 20


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(MODEL_FILES), st.data())
def test_a_history_tells_the_order_of_dependent_events_only(
    path: Path, data: st.DataObject
) -> None:
    _, trace = executed(path)
    place = data.draw(st.integers(0, len(trace.events) - 2))
    one, two = trace.events[place : place + 2]
    equal = history(swapped(trace, place).events) == history(trace.events)
    assert equal == (one[1:] == two[1:] or independent(one, two))


def _apart(_: Event) -> Touched:
    """Were all events of different threads independent, an order that a rule forbids would do."""
    return Touched((), ())


def test_a_wrong_independence_changes_a_verdict() -> None:
    changed = 0
    for path in MODEL_FILES[:12]:
        scenario, trace = executed(path)
        for place, one, two in pairs(trace):
            if independent(one, two, _apart) and OP not in (one.kind, two.kind):
                other = signatures(scenario, swapped(trace, place))
                changed += other != signatures(scenario, trace)
    assert changed
