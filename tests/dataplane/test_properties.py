"""Properties that hold for every scenario."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given

from tests.strategies import fuzz_bytes, on_virtio_blk, scenarios
from vblkfuzz.limits import MAX_OPS
from vblkfuzz.oracle.judge import judge
from vblkfuzz.scenario.codec import decode
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.model import model
from vblkfuzz.targets.target import Target
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import CANCEL, COLLECT, END, HOSTILE, OP, POP, PUSH, RESET_RET


@pytest.fixture(scope="module")
def reference() -> Iterator[Target]:
    with model("reference", "inline") as target:
        yield target


@pytest.fixture(scope="module")
def patch_v4() -> Iterator[Target]:
    with model("patch-v4", "inline") as target:
        yield target


def begun(scenario: Scenario) -> Scenario:
    """Any scenario on a device that has been set up: without that, little happens."""
    return replace(scenario, ops=(op("init"), *scenario.ops[: MAX_OPS - 1]))


SCENARIOS = (scenarios() | scenarios().map(begun)).map(on_virtio_blk)


def of_kind(events: tuple[Event, ...], kind: int) -> list[Event]:
    return [event for event in events if event.kind == kind]


@given(scenario=SCENARIOS)
def test_the_reference_is_clean_and_comes_to_rest(reference: Target, scenario: Scenario) -> None:
    trace = reference.run(scenario)
    assert judge(scenario, trace).violations == ()
    (end,) = of_kind(trace.events, END)
    assert end is trace.events[-1]
    assert end.value == 0


@given(data=fuzz_bytes())
def test_the_reference_is_clean_on_any_bytes(reference: Target, data: bytes) -> None:
    scenario = decode(data)
    trace = reference.run(scenario)
    assert judge(scenario, trace).violations == ()
    assert trace.events[-1].kind == END


@given(scenario=SCENARIOS)
def test_a_run_ends_by_itself(patch_v4: Target, scenario: Scenario) -> None:
    trace = patch_v4.run(scenario)
    judge(scenario, trace)
    assert trace.events[-1].kind == END


@given(scenario=SCENARIOS)
def test_the_same_scenario_gives_the_same_trace(patch_v4: Target, scenario: Scenario) -> None:
    first, second = patch_v4.run(scenario), patch_v4.run(scenario)
    assert (first.digest, first.steps) == (second.digest, second.steps)


@given(scenario=SCENARIOS)
def test_time_goes_forward(patch_v4: Target, reference: Target, scenario: Scenario) -> None:
    """Turns and epochs never decrease; a pop has the next serial."""
    for target in (patch_v4, reference):
        events = target.run(scenario).events
        turns = [event.turn for event in events]
        assert turns == sorted(turns)
        epochs = [event.epoch for event in of_kind(events, RESET_RET)]
        assert epochs == list(range(len(epochs)))
        pops = of_kind(events, POP)
        assert [event.request for event in pops] == list(range(1, len(pops) + 1))
        assert [event.epoch for event in pops] == sorted(event.epoch for event in pops)


@given(scenario=SCENARIOS)
def test_every_operation_is_recorded_once(patch_v4: Target, scenario: Scenario) -> None:
    recorded = [event for event in of_kind(patch_v4.run(scenario).events, OP) if not event.head]
    assert [event.flag for event in recorded] == [operation.code for operation in scenario.ops]
    assert [event.value for event in recorded] == list(range(len(scenario.ops)))


@given(scenario=SCENARIOS)
def test_requests_of_the_reference_end_once(reference: Target, scenario: Scenario) -> None:
    events = reference.run(scenario).events
    ends = [event.request for event in events if event.kind in (PUSH, CANCEL)]
    assert sorted(ends) == sorted(set(ends))
    popped = {event.request for event in of_kind(events, POP)}
    assert set(ends) <= popped


@given(scenario=SCENARIOS)
def test_the_guest_of_the_reference_sees_no_foreign_entry(
    reference: Target, scenario: Scenario
) -> None:
    events = reference.run(scenario).events
    if not of_kind(events, HOSTILE):
        assert 1 not in {event.flag for event in of_kind(events, COLLECT)}
