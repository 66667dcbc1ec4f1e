"""A Chrome trace as Perfetto requires it: named tracks, and slices that nest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.triage.stories import QUIET, case
from vblkfuzz.errors import UsageError
from vblkfuzz.export.perfetto import perfetto_text, trace_events
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import DRAIN_CALL, DRAIN_RET, IRQ, STOP_CALL
from vblkfuzz.triage.step import steps_of

Json = dict[str, Any]


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
