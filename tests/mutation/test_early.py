"""A thread goes on earlier: only where it acted, and nothing but the schedule changes."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import scenarios
from vblkfuzz.executor import run_scenario
from vblkfuzz.mutation.draft import Draft, Mark
from vblkfuzz.mutation.early import early
from vblkfuzz.mutation.places import Place, Places
from vblkfuzz.process.arena import Arena
from vblkfuzz.scenario.alphabet.ops import CODES
from vblkfuzz.scenario.codec import decode, encode
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Deviation, Go, Scenario
from vblkfuzz.targets.device_class import device_class
from vblkfuzz.targets.model_modes import InlineModel
from vblkfuzz.trace.event import ActorId
from vblkfuzz.trace.lanes import lanes

STORY = Scenario(ops=(op("init"), op("publish_kick"), op("stop"), op("cont")))


@given(scenarios(max_ops=8), st.integers(0, 99), st.integers(1, 4), st.integers(0, 30))
def test_operations_stay_and_one_thread_goes_on_in_one_of_them(
    scenario: Scenario, seed: int, actor: int, others: int
) -> None:
    data = encode(scenario)
    before, draft = Draft.of(data), Draft.of(data)
    if not draft.items:
        return
    place = Place(data, seed % len(draft.items), actor, others, 1)
    place.fresh = seed % 2 == 0
    early(draft, place, Random(seed).random)
    assert [item[0] for item in draft.items] == [item[0] for item in before.items]
    new = marks_of(draft) - marks_of(before)
    assert {at for at, _ in new} <= {place.at}
    assert len({go for _, (_, go, _) in new}) <= 1
    points = sorted(point for _, (point, _, _) in new)
    assert not points or points[-1] - points[0] < 14
    assert all(go in (Go.NEXT, actor) for _, (_, go, _) in new)


def test_the_first_try_of_a_story_is_at_once_and_keeps_its_deviations() -> None:
    held = replace(STORY, schedule=(Deviation(1, 0, Go.NEXT),))
    data = encode(held)
    draft = Draft.of(data)
    place = Place(data, 3, ActorId.IO0, 10, 1)
    early(draft, place, Random(1).random)
    assert not place.fresh
    kept, at_once = draft.items[1][1], draft.items[3][1]
    assert [mark[:2] for mark in kept] == [(0, Go.NEXT)]
    assert [mark[:2] for mark in at_once] == [(point, ActorId.IO0) for point in range(14)]


def marks_of(draft: Draft) -> set[tuple[int, Mark]]:
    return {(at, mark) for at, item in enumerate(draft.items) for mark in item[1]}


def test_deviations_where_a_thread_had_work_are_often_obeyed() -> None:
    held = replace(STORY, schedule=(Deviation(1, 0, Go.NEXT),))
    places, obeyed = Places(), 0
    with InlineModel("reference", Arena(), device_class("reference")) as target:
        places.note(encode(held), lanes(run_scenario(target, held).trace))
        for seed in range(60):
            random = Random(seed).random
            place = places.choose(random)
            assert place is not None
            draft = Draft.of(place.data)
            early(draft, place, random)
            trace = run_scenario(target, decode(draft.pack(1000))).trace
            obeyed += sum(trace.obeyed) > 1
    assert obeyed > 10


def test_lanes_are_of_the_story_alone() -> None:
    with InlineModel("reference", Arena(), device_class("reference")) as target:
        acted = lanes(run_scenario(target, STORY).trace)
    assert [lane.code for lane in acted] == [CODES[one.name] for one in STORY.ops]
    assert acted[2].acted[0].actor == ActorId.MAIN
    assert [one.actor for one in acted[3].acted] == [ActorId.MAIN, ActorId.IO0]
    assert all(lane.acted[0].before == 0 for lane in acted)


def test_lanes_tell_what_became_of_requests() -> None:
    with InlineModel("reference", Arena(), device_class("reference")) as target:
        served = lanes(run_scenario(target, STORY).trace)[1].acted
        plain = lanes(run_scenario(target, STORY).trace)[3].acted
    deeds = {one.actor: one.deeds for one in served}
    assert deeds[ActorId.IO0] > 0
    assert [one.deeds for one in plain] == [0, 0]
