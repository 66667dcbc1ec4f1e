"""F_IN_ORDER on the model: what ends early waits for its turn, through stops, saves and resets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dataplane.ring_outcome import on, outcome, stories
from tests.pure_build import stand_ins
from vblkfuzz.dataplane.request import Request
from vblkfuzz.dataplane.turns import Turns
from vblkfuzz.oracle.judge import judge
from vblkfuzz.scenario.device import RINGS, DeviceConfig, Ring
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.model import model
from vblkfuzz.targets.target import Target
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import CANCEL, COLLECT, PUSH, RESUMED
from vblkfuzz.trace.order_kinds import WAITS
from vblkfuzz.trace.trace import Trace

OUT = op("publish_kick", request="out")
HELD = op("init"), op("hold"), OUT, OUT
NEWEST = op("complete", which="newest")
FAILS = op("complete", which="0", result="eio")


@pytest.fixture(scope="module")
def reference() -> Iterator[Target]:
    with model("reference", "inline") as target:
        yield target


def run(target: Target, *ops: Op, ring: Ring = "split", **fields: bool | int | str) -> Trace:
    config = DeviceConfig(in_order=True, ring=ring, queue_size=16, **fields)  # type: ignore[arg-type]  # any field
    scenario = Scenario(config, ops)
    trace = target.run(scenario)
    assert judge(scenario, trace).clean
    return trace


def a_request(serial: int) -> Request:
    return cast("Request", SimpleNamespace(serial=serial))


def events(trace: Trace, *kinds: int) -> list[Event]:
    return [event for event in trace.events if event.kind in kinds]


@pytest.mark.parametrize("ring", RINGS)
def test_one_that_ends_early_waits(reference: Target, ring: Ring) -> None:
    trace = run(reference, *HELD, NEWEST, op("collect"), op("release"), ring=ring)
    found = [(event.kind, event.request) for event in events(trace, WAITS, PUSH)]
    assert found == [(WAITS, 2), (PUSH, 1), (PUSH, 2)]
    assert len(events(trace, COLLECT)) == 2


def test_without_the_feature_it_does_not(reference: Target) -> None:
    for how in ({"how": "no_features"}, {}):
        ops = (op("init", **how), *HELD[1:], NEWEST, op("release"))
        trace = reference.run(Scenario(DeviceConfig(in_order=bool(how)), ops))
        assert [event.request for event in events(trace, PUSH)] == [2, 1]


@pytest.mark.parametrize("ring", RINGS)
def test_it_waits_for_one_that_failed_through_a_save(reference: Target, ring: Ring) -> None:
    """The new device knows of both: of one to be retried, and of one that has ended."""
    ops = (*HELD, NEWEST, FAILS, op("release"), op("save"), op("restore"), op("collect"))
    trace = run(reference, *ops, ring=ring, werror="stop")
    assert [event.request for event in events(trace, RESUMED)] == [1, 2]
    assert [event.request for event in events(trace, PUSH)] == [1, 2]
    assert len(events(trace, COLLECT)) == 2


@pytest.mark.parametrize("end", ["reset", "queue_reset"])
def test_a_reset_drops_it(reference: Target, end: str) -> None:
    """In a section the first one is parked, and the second one needs no disk."""
    section = op("drain_begin"), OUT, op("publish_kick", request="get_id"), op(end), op("drain_end")
    trace = run(reference, op("init"), *section, op("init"), OUT, op("collect"), ioeventfd=False)
    assert [event.request for event in events(trace, WAITS)] == [2]
    assert {event.request for event in events(trace, CANCEL)} == {1, 2}
    assert [event.request for event in events(trace, PUSH)] == [3]


@pytest.mark.parametrize("ring", RINGS)
def test_one_that_waits_is_returned_after_a_restore(reference: Target, ring: Ring) -> None:
    """The older one, whose disk the test holds, is submitted by the new device, and ends last."""
    wrong = op("publish_kick", request="in", shape="odd_length")
    section = op("drain_begin"), OUT, wrong, op("hold"), op("save"), op("drain_end")
    ops = (op("init"), *section, op("restore"), op("release"), op("collect"))
    trace = run(reference, *ops, ring=ring, ioeventfd=False)
    assert [event.request for event in events(trace, WAITS)] == [2]
    assert [event.request for event in events(trace, PUSH)] == [1, 2]


@pytest.mark.parametrize("ring", RINGS)
def test_a_guest_that_missed_a_reset_does_not_go_on_in_order(reference: Target, ring: Ring) -> None:
    """The device has forgotten what was negotiated, and would return them in any order."""
    again = op("system_reset"), op("cont"), op("queue_reset")
    ops = op("init"), op("stop"), *again, OUT, op("publish_kick", request="get_id"), op("collect")
    assert events(run(reference, *ops, ring=ring), PUSH) == []


def test_the_guest_sees_the_same_on_both_forms(reference: Target) -> None:
    collected = 0
    for story in stories(seed=4, count=60):
        scenario = replace(story, device=replace(story.device, in_order=True))
        split, packed = (reference.run(on(ring, scenario)) for ring in RINGS)
        assert outcome(split) == outcome(packed)
        for ring, trace in zip(RINGS, (split, packed), strict=True):
            assert judge(on(ring, scenario), trace).clean
        collected += len(events(split, COLLECT))
    assert collected > 60


@stand_ins
@given(st.permutations(range(1, 8)), st.sets(st.integers(1, 7), max_size=3))
def test_whatever_ends_first_turns_are_in_order(ends: list[int], dropped: set[int]) -> None:
    turns, returned = Turns(), []
    requests = {serial: a_request(serial) for serial in ends}
    for request in requests.values():
        turns.take(request)
    for serial in ends:
        if serial in dropped:
            turns.forget(requests[serial])
        else:
            returned += [(each.serial, size) for each, size in turns.end(requests[serial], serial)]
    last = a_request(9)
    turns.take(last)
    returned += [(each.serial, size) for each, size in turns.end(last, 9)]
    kept = [serial for serial in range(1, 8) if serial not in dropped]
    assert returned == [(serial, serial) for serial in (*kept, 9)]
    assert turns.ended() == []


@stand_ins
def test_one_that_is_not_known_has_its_turn_at_once() -> None:
    """It has outlived a reset; a device that returns it breaks other rules."""
    turns, old = Turns(), a_request(1)
    turns.take(a_request(2))
    assert [*turns.end(old, 5)] == [(old, 5)]
