"""What every scheduler must keep, over all that are registered: what it decides can be replayed."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.strategies import scenarios
from vblkfuzz.dataplane.thread import POINT, Steps, Thread
from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.limits import MAX_DEVIATIONS
from vblkfuzz.scenario.codec import decode_canonical, encode
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Deviation, Go, Scenario
from vblkfuzz.schedule.policy import Task
from vblkfuzz.schedule.registry import SCHEDULERS, scheduler_of
from vblkfuzz.schedule.steering import Steering
from vblkfuzz.targets.model import MODES, model
from vblkfuzz.targets.model_modes import InlineModel, ProcessesModel

STORY = Scenario(
    ops=tuple(
        op(name)
        for name in ("init", "publish_kick", "drain_begin", "publish_kick", "reset", "drain_end")
    ),
    schedule=(Deviation(1, 3, Go.NEXT),),
)

tasks = st.builds(
    Task,
    st.integers(0, (1 << 60) - 1),
    st.integers(1, 3),
    st.integers(1, 300),
    st.just(()) | st.tuples(*[st.integers(0, 9)] * len(Go)),
)


@pytest.fixture(scope="module")
def inline() -> Iterator[InlineModel | ProcessesModel]:
    with model("reference", "inline") as target:
        yield target


@pytest.fixture(scope="module")
def processes() -> Iterator[InlineModel | ProcessesModel]:
    with model("reference", "processes") as target:
        yield target


@pytest.mark.parametrize("name", SCHEDULERS.names())
@settings(max_examples=15, deadline=None)
@given(scenario=scenarios(max_ops=8), task=tasks)
def test_what_was_decided_replays(
    name: str, scenario: Scenario, task: Task, inline: InlineModel | ProcessesModel
) -> None:
    ran, trace = inline.steered(scenario, Steering(name, task))
    assert (ran.device, ran.ops) == (scenario.device, scenario.ops)
    assert len(ran.schedule) <= MAX_DEVIATIONS
    again = inline.run(decode_canonical(encode(ran)))
    assert again.digest == trace.digest
    assert (again.steps, again.points) == (trace.steps, trace.points)
    assert (again.obeyed, again.overtaken) == (trace.obeyed, trace.overtaken)


@pytest.mark.parametrize("name", SCHEDULERS.names())
def test_it_decides_the_same_in_all_modes(
    name: str,
    inline: InlineModel | ProcessesModel,
    processes: InlineModel | ProcessesModel,
) -> None:
    steering = Steering(name, Task(7, 2, 60, (9, 3, 9, 9, 0, 0)))
    ran, trace = inline.steered(STORY, steering)
    other_ran, other = processes.steered(STORY, steering)
    assert (ran, trace.digest) == (other_ran, other.digest)
    assert processes.run(ran).digest == trace.digest


class Dies(VirtioBlk):
    """A device of a user's that ends its process when it is reset."""

    def reset(self, thread: Thread, *, system: bool = False) -> Steps:
        yield POINT
        os._exit(3)


def test_what_was_decided_outlives_the_device() -> None:
    with model("mine", "inline", device_class=Dies) as target:
        ran, trace = target.steered(STORY, Steering("pct", Task(3, 2, 60)))
        assert trace.fault
        assert ran.schedule
        assert target.run(ran).digest == trace.digest


class NoBoard(VirtioBlk):
    """A device of a user's that fails before anything can be decided."""

    def __init__(self, *_arguments: object) -> None:
        raise RuntimeError("no such board")


@pytest.mark.parametrize("mode", MODES)
def test_a_device_that_cannot_be_made_has_an_empty_schedule(mode: str) -> None:
    with model("mine", mode, device_class=NoBoard) as target:
        ran, trace = target.steered(STORY, Steering("pct", Task(3, 2, 60)))
        assert trace.fault
        assert (ran.ops, ran.schedule) == (STORY.ops, ())


@pytest.mark.parametrize("name", SCHEDULERS.names())
def test_it_says_what_it_is(name: str) -> None:
    scheduler = scheduler_of(name)
    assert scheduler.summary
    assert all(depth > 0 for depth in scheduler.depths)
    steering = Steering(name, Task(1, 2, 3, (4,)))
    assert Steering.from_json(steering.to_json()) == steering


def test_the_scheduler_of_the_input_does_what_the_input_says(
    inline: InlineModel | ProcessesModel,
) -> None:
    ran, trace = inline.steered(STORY, Steering("input", Task(1)))
    assert ran == STORY
    assert trace.digest == inline.run(STORY).digest
