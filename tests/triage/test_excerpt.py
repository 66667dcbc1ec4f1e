"""The rows of an excerpt: the clash, what the schedule overtook or delayed, then what is near."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.oracle.test_cases import event
from vblkfuzz.executor import run_scenario
from vblkfuzz.oracle.violation import Violation
from vblkfuzz.scenario.text import read_text
from vblkfuzz.targets.model import model
from vblkfuzz.trace.event import ActorId
from vblkfuzz.trace.trace import Trace
from vblkfuzz.triage.excerpt import excerpt
from vblkfuzz.triage.overtaken import overtaken

CORPUS = Path(__file__).resolve().parents[2] / "corpus" / "defects"
GUEST, IO0 = ActorId.GUEST, ActorId.IO0


def trace_of(lines: str, *held_up: tuple[int, int]) -> Trace:
    """Return a trace with one event a turn."""
    events = tuple(event(turn, line) for turn, line in enumerate(lines.strip().splitlines()))
    return Trace(events, overtaken=held_up)


def chosen(lines: str, first: int, second: int, *held_up: tuple[int, int]) -> list[int]:
    trace = trace_of(lines, *held_up)
    clash = Violation("S1", trace.events[first], trace.events[second], "They clash.")
    return sorted(overtaken(clash, trace))


OVERTAKING = """
io0 pop queue=0 request=1
vcpu reset_call
vcpu reset_ret
io0 submit request=1 queue=0
io1 handler queue=1
io1 handler_end queue=1
"""


@pytest.mark.parametrize(
    ("held_up", "places"),
    [
        ((0, IO0), [0, 3]),  # around the clash
        ((3, IO0), [3]),  # before, with its queue; nothing of the actor is behind
        ((0, ActorId.VCPU), []),  # ended before the clash, with no queue
        ((4, ActorId.IO1), []),  # behind the clash
        ((9, GUEST), []),  # no event at all
    ],
)
def test_what_was_overtaken(held_up: tuple[int, int], places: list[int]) -> None:
    assert chosen(OVERTAKING, 3, 3, held_up) == places


DELAYED = """
io0 handler_end queue=0
io0 stores_delayed value=1
guest kick queue=1
io0 stores_seen
guest kick queue=0
io1 stores_delayed value=2
io1 stores_seen
"""


@pytest.mark.parametrize(
    ("first", "second", "places"),
    [
        (4, 4, [0, 1, 3]),  # of its queue, before the clash
        (2, 2, [0, 1]),  # it lies within
        (6, 6, [5, 6]),  # nothing of the actor is before
    ],
)
def test_what_was_delayed(first: int, second: int, places: list[int]) -> None:
    assert chosen(DELAYED, first, second) == places


def test_what_was_overtaken_has_a_row_also_in_a_long_excerpt() -> None:
    drains = "main drain_call value=1\n" * 20
    lines = f"io0 pop queue=0 request=1\nvcpu reset_ret\n{drains}io0 submit request=1 queue=0"
    trace = trace_of(lines, (0, IO0))
    clash = Violation("S4", trace.events[1], trace.events[-1], "They clash.")
    _, *rows = excerpt(clash, trace).split("\n\n")[1].splitlines()
    assert len(rows) == 10
    shown = [row.lstrip("> ").split()[2] for row in rows]
    assert shown == ["pop", "reset_ret", *["drain_call"] * 7, "submit"]
    assert " pop " not in excerpt(clash, Trace(trace.events))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("stop_from_main", "pop "),  # the reset overtakes the handler that has popped
        ("no_barrier_before_recheck", "stores_delayed"),
    ],
)
def test_the_excerpt_of_a_race_has_what_lost_it(name: str, words: str) -> None:
    path = CORPUS / name / "scenario.toml"
    scenario = read_text(path.read_text(), path.name).scenario
    with model(f"reference+{name}", "inline") as target:
        execution = run_scenario(target, scenario)
    assert words in excerpt(execution.verdict.causes[0], execution.trace)
