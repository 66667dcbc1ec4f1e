"""A Chrome trace as Perfetto requires it: named tracks, and slices that nest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis.strategies import builds, integers, just, lists, sampled_from

from tests.checkout import CHECKOUT
from tests.conformance.inputs import fuzz_inputs
from tests.triage.stories import QUIET, case
from vblkfuzz.errors import UsageError
from vblkfuzz.executor import run_scenario
from vblkfuzz.export.perfetto import perfetto_text, trace_events
from vblkfuzz.scenario.artifact import read_input
from vblkfuzz.scenario.codec import decode
from vblkfuzz.targets.model import model
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import (
    DRAIN_CALL,
    DRAIN_RET,
    HANDLER,
    HANDLER_END,
    IRQ,
    POP,
    PUSH,
    STOP_CALL,
)
from vblkfuzz.triage.step import steps_of

Json = dict[str, Any]

SCENARIOS = sorted((CHECKOUT / "corpus" / "regress").glob("*/scenario.toml"))
ANY = (DRAIN_CALL, DRAIN_RET, HANDLER, HANDLER_END, POP, PUSH)


def events(text: str) -> list[Json]:
    found: list[Json] = json.loads(text)["traceEvents"]
    return found


def test_each_event_has_what_its_phase_needs() -> None:
    needs = {"M": {"args"}, "i": {"s"}, "X": {"dur"}, "C": {"args"}, "b": {"id"}, "e": {"id"}}
    for event in events(perfetto_text([case()])):
        assert {"name", "ph", "pid", *needs[event["ph"]]} <= set(event)
        assert event["ph"] == "M" or event["ts"] >= 0


def test_tracks_have_names() -> None:
    found = events(perfetto_text([case()]))
    named = {(one["pid"], one["tid"]) for one in found if one["name"] == "thread_name"}
    assert {(one["pid"], one["tid"]) for one in found if "tid" in one} == named


def test_slices_of_a_track_lie_in_one_another() -> None:
    slices: dict[tuple[int, int], list[Json]] = {}
    for event in events(perfetto_text([case()])):
        if event["ph"] == "X":
            slices.setdefault((event["pid"], event["tid"]), []).append(event)
    assert slices
    for track in slices.values():
        open_until: list[int] = []
        for one in track:
            while open_until and open_until[-1] <= one["ts"]:
                open_until.pop()
            end = one["ts"] + one["dur"]
            assert not open_until or end <= open_until[-1]
            open_until.append(end)


def test_a_call_lasts_until_it_returns() -> None:
    steps = [step.row.event for step in case().steps]
    called, returned = steps.index("reset_call guest"), steps.index("reset_ret")
    (reset,) = [one for one in events(perfetto_text([case()])) if one["name"] == "reset_call guest"]
    assert (reset["ts"], reset["ts"] + reset["dur"]) == (called, returned)


def test_a_drain_inside_a_drain_is_the_shorter_one() -> None:
    calls = [
        Event(0, DRAIN_CALL),
        Event(1, DRAIN_CALL),
        Event(2, DRAIN_RET),
        Event(3, DRAIN_RET),
    ]
    slices = [one for one in trace_events(steps_of(calls)) if one["ph"] == "X"]
    assert [(one["ts"], one["dur"]) for one in slices] == [(0, 3), (1, 1)]


def test_a_call_that_never_returns_ends_with_the_call_around_it() -> None:
    calls = [Event(0, HANDLER, queue=0), Event(1, HANDLER, queue=1), Event(2, HANDLER_END, queue=0)]
    slices = [one for one in trace_events(steps_of(calls)) if one["ph"] == "X"]
    assert [(one["ts"], one["dur"]) for one in slices] == [(0, 2), (1, 1)]


def test_a_request_of_a_device_that_crashed_ends_with_the_trace() -> None:
    arcs = [one for one in trace_events(steps_of([Event(0, POP, request=1)])) if "id" in one]
    assert [(one["ph"], one["ts"]) for one in arcs] == [("b", 0), ("e", 1)]


def test_a_request_that_was_not_popped_has_no_arc() -> None:
    assert all("id" not in one for one in trace_events(steps_of([Event(0, PUSH, request=1)])))


def test_a_call_that_never_returns_lasts_to_the_end() -> None:
    calls = [Event(0, STOP_CALL), Event(1, IRQ), Event(2, IRQ)]
    (stop,) = [one for one in trace_events(steps_of(calls)) if one["ph"] == "X"]
    assert stop["dur"] == 3


def test_both_events_of_the_clash_are_marked() -> None:
    marked = [one for one in events(perfetto_text([case()])) if one["name"].startswith("CLASH")]
    assert [one["args"]["clash"] for one in marked] == ["first", "second"]


def test_a_clean_input_has_a_trace_too() -> None:
    text = perfetto_text([case(QUIET, "reference")])
    requests = [one["ph"] for one in events(text) if one["name"] == "request 1"]
    assert requests == ["b", "e"]


def test_one_trace_at_a_time() -> None:
    with pytest.raises(UsageError, match="expected one input, found 2"):
        perfetto_text([case(), case()])


def balanced(found: list[Json], end: int) -> None:
    """Check that each arc that begins ends, and that the slices of a track lie in one another."""
    arcs: dict[tuple[int, int], int] = {}
    tracks: dict[tuple[int, int], list[int]] = {}
    for one in found:
        if one["ph"] == "b":
            assert arcs.setdefault((one["pid"], one["id"]), one["ts"]) == one["ts"]
        elif one["ph"] == "e":
            assert arcs.pop((one["pid"], one["id"])) <= one["ts"] <= end
        elif one["ph"] == "X":
            ends = tracks.setdefault((one["pid"], one["tid"]), [])
            while ends and ends[-1] <= one["ts"]:
                ends.pop()
            last = one["ts"] + one["dur"]
            assert last <= (ends[-1] if ends else end)
            ends.append(last)
    assert not arcs


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.parent.name)
def test_each_begin_of_the_corpus_has_its_end(path: Path) -> None:
    artifact = read_input(path)
    with model(artifact.device, "inline") as target:
        steps = steps_of(run_scenario(target, artifact.scenario).trace.events)
    balanced(list(trace_events(steps)), len(steps))


@settings(max_examples=40)
@given(sampled_from(fuzz_inputs(1, 300)), integers(0, 300))
def test_each_begin_has_its_end_wherever_the_trace_ends(data: bytes, cut: int) -> None:
    """A trace of a device that crashes or hangs ends in the middle of calls and requests."""
    with model("reference", "inline") as target:
        steps = steps_of(run_scenario(target, decode(data)).trace.events)[:cut]
    balanced(list(trace_events(steps)), len(steps))


@given(
    lists(
        builds(
            Event,
            turn=integers(0, 9),
            kind=sampled_from(ANY),
            actor=integers(1, 2),
            queue=integers(0, 1),
            request=integers(0, 3),
            **dict.fromkeys(("flag", "head", "epoch", "value", "path", "length"), just(0)),
        )
    )
)
def test_each_begin_has_its_end_in_any_order_of_events(calls: list[Event]) -> None:
    steps = steps_of(calls)
    balanced(list(trace_events(steps)), len(steps))
