"""A thread goes on earlier: only where it acted, and nothing but the schedule changes."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import scenarios
from vblkfuzz.executor import run_scenario
from vblkfuzz.mutation.draft import Draft, Mark
from vblkfuzz.mutation.early import early, prompt
from vblkfuzz.process.arena import Arena
from vblkfuzz.scenario.codec import decode, encode
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Deviation, Go, Scenario
from vblkfuzz.targets.device_class import device_class
from vblkfuzz.targets.model_modes import InlineModel
from vblkfuzz.trace.event import ActorId
from vblkfuzz.trace.lanes import lanes

STORY = Scenario(ops=(op("init"), op("publish_kick"), op("stop"), op("cont")))


ACTED = st.lists(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 30))), max_size=9)


@given(scenarios(max_ops=8), st.integers(0, 1000), ACTED)
def test_operations_stay_and_one_thread_goes_on_in_one_of_them(
    scenario: Scenario, seed: int, acted: list[list[tuple[int, int]]]
) -> None:
    before, draft = Draft.of(encode(scenario)), Draft.of(encode(scenario))
    early(draft, acted, Random(seed).random)
    assert [item[0] for item in draft.items] == [item[0] for item in before.items]
    new = marks_of(draft) - marks_of(before)
    assert len({(at, go) for at, (_, go, _) in new}) <= 1
    points = sorted(point for _, (point, _, _) in new)
    assert not points or points[-1] - points[0] < 7
    for at, (_, go, _) in new:
        assert go == Go.NEXT or go in dict(acted[at][1:])


def marks_of(draft: Draft) -> set[tuple[int, Mark]]:
    return {(at, mark) for at, item in enumerate(draft.items) for mark in item[1]}


def test_a_prompt_thread_has_points_in_a_row_of_one_operation() -> None:
    for seed in range(100):
        draft = Draft.of(encode(STORY))
        prompt(draft, Random(seed).random)
        ((_, first, *_), *_) = found = sorted((at, *mark) for at, mark in marks_of(draft))
        assert first == 0
        assert len({(at, go) for at, _, go, _ in found}) == 1


def test_deviations_where_a_thread_had_work_are_often_obeyed() -> None:
    held = replace(STORY, schedule=(Deviation(1, 0, Go.NEXT),))
    obeyed = 0
    with InlineModel("reference", Arena(), device_class("reference")) as target:
        acted = lanes(run_scenario(target, held).trace)
        for seed in range(60):
            draft = Draft.of(encode(held))
            early(draft, acted, Random(seed).random)
            trace = run_scenario(target, decode(draft.pack(1000))).trace
            obeyed += sum(trace.obeyed) > 1
    assert obeyed > 10


def test_lanes_are_of_the_story_alone() -> None:
    with InlineModel("reference", Arena(), device_class("reference")) as target:
        acted = lanes(run_scenario(target, STORY).trace)
    assert len(acted) == len(STORY.ops)
    assert acted[2][0][0] == ActorId.MAIN
    assert [actor for actor, _ in acted[3]] == [ActorId.MAIN, ActorId.IO0]
    assert all(counts[0][1] == 0 for counts in acted)
