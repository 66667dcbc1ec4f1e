"""Two modes, three written forms, one scenario. tests/soak/equality.py is the long version."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import cycle

import pytest
from hypothesis import given, settings

from tests.conformance.inputs import every_operation, fuzz_inputs
from tests.strategies import scenarios
from tests.targets.equality import check_forms, check_modes
from vblkfuzz.dataplane.revisions import REVISIONS
from vblkfuzz.scenario.codec import decode, encode
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.scenario import Deviation, Role, Scenario
from vblkfuzz.targets.model import model
from vblkfuzz.trace.schedule_kinds import STORES_DELAYED

INPUTS = fuzz_inputs(5, 500)


@pytest.mark.parametrize("device", REVISIONS)
def test_both_modes_give_the_same_trace(device: str) -> None:
    outcomes = check_modes(device, INPUTS)
    assert len(set(outcomes)) > 0.9 * len(INPUTS)
    assert max(map(len, outcomes)) == min(map(len, outcomes)) == 32, "an error, not a digest"


@pytest.mark.parametrize("iothreads", [0, 1, 2])
@pytest.mark.parametrize("queues", [1, 2, 3, 4])
def test_on_any_number_of_queues_and_iothreads(queues: int, iothreads: int) -> None:
    for event_idx in (False, True):
        device = DeviceConfig(queues, iothreads=iothreads, event_idx=event_idx)
        for revision in REVISIONS:
            check_modes(revision, [encode(every_operation(device))])


def test_the_inputs_cover_queues_iothreads_and_schedules() -> None:
    found = [decode(data) for data in INPUTS]
    assert {scenario.device.queues for scenario in found} == {1, 2, 3, 4}
    assert {scenario.device.iothreads for scenario in found} == {0, 1, 2}
    assert Counter(bool(scenario.schedule) for scenario in found)[True] > 100
    assert Counter(scenario.delays for scenario in found)[True] > 100


@pytest.mark.parametrize("device", REVISIONS)
def test_delayed_stores_are_the_same_in_both_modes(device: str) -> None:
    """Every deviation delays stores, in scenarios short enough for one to have an effect."""
    found = [decode(data) for data in fuzz_inputs(10, 500)]
    inputs = [
        replace(each, schedule=tuple(replace(mark, delayed=True) for mark in each.schedule))
        for each in found
        if each.delays or len(each.ops) < 20
    ]
    check_modes(device, [encode(each) for each in inputs])
    with model(device, "inline") as target:
        kinds = [{event.kind for event in target.run(each).events} for each in inputs]
    assert sum(STORES_DELAYED in each for each in kinds) > 20


@pytest.mark.parametrize("device", ["patch-v4", "reference"])
def test_deviations_of_one_actor_are_the_same_in_both_modes(device: str) -> None:
    found = [decode(data) for data in fuzz_inputs(11, 300)]
    roles = cycle(Role)
    inputs = []
    for each in found:
        own = [_of_a_role(mark, next(roles)) for mark in each.schedule]
        single = {one.where: one for one in own}
        inputs.append(replace(each, schedule=tuple(sorted(single.values()))))
    check_modes(device, [encode(each) for each in inputs])
    with model(device, "inline") as target:
        obeyed = [target.run(each).obeyed for each in inputs]
    assert sum(map(sum, obeyed)) > 50


def _of_a_role(mark: Deviation, role: Role) -> Deviation:
    """Return a deviation that counts the points of one actor, early enough to be reached."""
    point = mark.point if role is Role.ANY else mark.point // 4
    return Deviation(mark.op, point, mark.go, mark.delayed, role)


def test_every_input_survives_all_forms() -> None:
    for data in INPUTS:
        check_forms(data)


@settings(max_examples=50)
@given(scenarios())
def test_any_scenario(scenario: Scenario) -> None:
    digests = []
    for mode in ("inline", "processes"):
        with model("patch-v4", mode) as target:
            digests.append(target.run(scenario).digest)
    assert digests[0] == digests[1]
