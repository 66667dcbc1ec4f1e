"""Repair: the story makes sense afterwards, and one that made sense already is not changed."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import scenarios
from vblkfuzz.limits import MAX_OPS
from vblkfuzz.mutation.draft import Draft
from vblkfuzz.mutation.repair import repair
from vblkfuzz.mutation.story_state import FITS, NEXT, OPEN
from vblkfuzz.scenario.alphabet.spec import POLLING
from vblkfuzz.scenario.codec import MAX_BYTES, decode, encode
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Deviation, Go, Scenario


def repaired(scenario: Scenario, seed: int = 1) -> Scenario:
    draft = Draft.of(encode(scenario))
    repair(draft, Random(seed).random)
    return decode(draft.pack(MAX_BYTES))


def names(*ops: str) -> list[str]:
    result = repaired(Scenario(ops=tuple(op(name) for name in ops)))
    return [operation.name for operation in result.ops]


@given(scenarios(max_ops=10), st.integers(0, 99))
def test_afterwards_everything_fits_and_nothing_is_open(scenario: Scenario, seed: int) -> None:
    result = repaired(scenario, seed)
    state = POLLING if scenario.device.polling else 0
    for operation in result.ops:
        assert FITS[state][operation.code], operation
        state = NEXT[state][operation.code]
    if not scenario.device.polling:
        assert not state & OPEN


@given(scenarios(max_ops=10), st.integers(0, 99))
def test_a_second_repair_changes_nothing(scenario: Scenario, seed: int) -> None:
    once = repaired(scenario, seed)
    assert repaired(once, seed + 1) == once


@given(scenarios())
def test_the_length_stays_in_bounds(scenario: Scenario) -> None:
    assert len(repaired(scenario).ops) <= MAX_OPS


@pytest.mark.parametrize(
    ("broken", "repaired_to"),
    [
        ("publish_kick", "init publish_kick"),
        ("init reset kick", "init reset init kick"),
        ("init system_reset publish_kick", "init system_reset init publish_kick"),
        ("init hostile publish_kick", "init hostile init publish_kick"),
        ("drain_end mirror_finish cont complete release flush poll_off", ""),
        ("init publish", "init publish_kick"),
        ("init publish drain_begin kick drain_end", "init publish drain_begin kick drain_end"),
        ("stop stop cont", "stop cont"),
        ("drain_begin", "drain_begin drain_end"),
        ("mirror_begin", "mirror_begin mirror_finish"),
        ("stop", "stop cont"),
        ("hold", "hold release"),
        ("poll_on", "poll_on poll_off"),
        ("drain_begin drain_begin drain_end", "drain_begin drain_begin drain_end drain_end"),
    ],
)
def test_repaired_stories(broken: str, repaired_to: str) -> None:
    assert names(*broken.split()) == repaired_to.split()


def test_a_device_that_polls_from_the_start_may_stop_polling() -> None:
    scenario = Scenario(DeviceConfig(polling=True), (op("poll_off"),))
    assert repaired(scenario) == scenario


def test_an_end_may_be_anywhere_after_its_begin() -> None:
    scenario = Scenario(ops=(op("drain_begin"), op("resize"), op("snapshot")))
    places = {
        [operation.name for operation in repaired(scenario, seed).ops].index("drain_end")
        for seed in range(50)
    }
    assert places == {1, 2, 3}


def test_a_deviation_stays_with_its_operation() -> None:
    scenario = Scenario(ops=(op("cont"), op("kick")), schedule=(Deviation(1, 3, Go.MAIN),))
    assert repaired(scenario).schedule == (Deviation(1, 3, Go.MAIN),)
    scenario = Scenario(ops=(op("kick"),), schedule=(Deviation(0, 3, Go.MAIN),))
    assert repaired(scenario).schedule == (Deviation(1, 3, Go.MAIN),)
