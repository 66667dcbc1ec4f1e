"""The sweep through short stories: each interruption once, at points that threads pass."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.limits import MAX_POINT
from vblkfuzz.mutation.draft import COUNTED, Draft
from vblkfuzz.mutation.interrupt import Stops
from vblkfuzz.mutation.sweep import Sweep
from vblkfuzz.scenario.codec import decode, encode
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Deviation, Go, Role, Scenario

_RACE = (op("init"), op("publish_kick"), op("drain_begin"))


def _draft(*ops: Op, polling: bool = False) -> Draft:
    return Draft.of(encode(Scenario(DeviceConfig(polling=polling), ops)))


def _all(sweep: Sweep, stops: Stops, seed: int) -> list[bytes]:
    """Return all that a sweep gives before it has none."""
    random = Random(seed).random
    found = []
    while draft := sweep.next(stops, random):
        found.append(draft.pack(4096))
    return found


@given(st.integers(min_value=0))
def test_each_interruption_comes_once(seed: int) -> None:
    sweep = Sweep()
    sweep.offer(_draft(*_RACE))
    found = _all(sweep, Stops(), seed)
    assert found and len(found) == len(set(found))


@given(st.integers(min_value=0), st.integers(1, 9), st.integers(1, 9))
def test_the_points_are_those_that_the_threads_passed(seed: int, main: int, io0: int) -> None:
    story = _draft(*_RACE)
    stops, counts = Stops(), [0] * len(Role)
    counts[Role.MAIN], counts[Role.IO0] = main, io0
    stops.note(story.pack(4096), [(), (), tuple(counts)])
    sweep = Sweep()
    sweep.offer(story)
    bounds = {Role.MAIN: main, Role.IO0: io0}
    for data in _all(sweep, stops, seed):
        for one in decode(data).schedule:
            assert one.role in bounds
            assert one.point < (MAX_POINT if one.locks or one.op < 2 else bounds[one.role])
            assert one.go in (Go.NEXT, Go.MAIN, Go.IO0)


def test_a_schedule_of_the_story_is_left_out() -> None:
    scenario = Scenario(DeviceConfig(), _RACE, (Deviation(1, 0, Go.NEXT),))
    sweep = Sweep()
    sweep.offer(Draft.of(encode(scenario)))
    for data in _all(sweep, Stops(), 1):
        assert all(one.role is not Role.ANY for one in decode(data).schedule)


@pytest.mark.parametrize(
    "ops",
    [
        pytest.param((op("init"), op("drain_begin")), id="no request"),
        pytest.param((op("init"), op("publish_kick")), id="nothing to race with"),
        pytest.param((*_RACE, *[op("publish_kick")] * 9), id="long"),
    ],
)
def test_a_story_that_is_long_or_has_no_race_is_not_swept(ops: tuple[Op, ...]) -> None:
    sweep = Sweep()
    sweep.offer(_draft(*ops))
    assert sweep.next(Stops(), Random(1).random) is None


def test_a_kind_of_story_is_swept_once() -> None:
    sweep = Sweep()
    sweep.offer(_draft(*_RACE))
    assert _all(sweep, Stops(), 1)
    sweep.offer(_draft(op("init"), op("publish_kick", sector=3), op("drain_begin")))
    assert not _all(sweep, Stops(), 1)
    sweep.offer(_draft(*_RACE, polling=True))
    assert _all(sweep, Stops(), 1)


def test_two_stories_take_turns() -> None:
    sweep = Sweep()
    sweep.offer(_draft(*_RACE))
    sweep.offer(_draft(*_RACE, polling=True))
    random = Random(1).random
    first = [sweep.next(Stops(), random) for _ in range(20)]
    assert {decode(one.pack(4096)).device.polling for one in first if one} == {False, True}
    marks = [mark for one in first if one for item in one.items for mark in item[1]]
    assert marks and all(how // COUNTED for _, how, _ in marks)
