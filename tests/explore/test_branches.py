"""The reduction hides nothing: the same outcomes and findings as with every schedule.

`tests/soak/stories.py` does the same with many more stories, and two deviations.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from functools import partial

import pytest

from tests.explore.unreduced import NOTHING, reduced, unreduced
from tests.pure_build import states_compared
from vblkfuzz.explore.alphabets import alphabet
from vblkfuzz.explore.branches import Branches
from vblkfuzz.explore.dpor import Touched, history
from vblkfuzz.explore.stories import Story, stories
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Go
from vblkfuzz.targets.model import model
from vblkfuzz.targets.model_modes import InlineModel
from vblkfuzz.trace.event import Event


def inline(device: str) -> InlineModel:
    target = model(device, "inline")
    assert isinstance(target, InlineModel)
    return target


def sample(name: str, length: int, count: int) -> list[Story]:
    return random.Random(length).sample(list(stories(alphabet(name), length)), count)


SAMPLED = [
    (device, story)
    for device, name in (
        ("reference", "drain"),
        ("patch-v4", "drain"),
        ("qemu-8.1", "run-state"),
        ("reference+no_selfkick", "polling"),
    )
    for story in sample(name, 3, 2)
]


@pytest.mark.parametrize(("device", "story"), SAMPLED)
def test_all_is_shown_with_one_deviation(device: str, story: Story) -> None:
    with inline(device) as target:
        every = unreduced(target, story, 1)
        left = reduced(target, story, 1)
    assert every.missing_in(left) == NOTHING
    assert left.missing_in(every) == NOTHING


@pytest.mark.parametrize("words", ["hold drain_begin", "drain_begin reset"])
def test_all_is_shown_with_two(words: str) -> None:
    story = tuple(map(op, words.split()))
    with inline("patch-v4") as target:
        every, left = unreduced(target, story, 2), reduced(target, story, 2)
    assert every.missing_in(left) == left.missing_in(every) == NOTHING
    assert left.runs < every.runs / 2


def _all_independent(_: Event) -> Touched:
    return Touched((), ())


@states_compared
@pytest.mark.parametrize(
    "reduction",
    [lambda _: b"", partial(history, touches=_all_independent)],
    ids=["no history", "all events independent"],
)
def test_a_wrong_reduction_is_noticed(reduction: Callable[[Iterable[Event]], bytes]) -> None:
    """The device pops within a section or before it, and is in the same state after it."""
    story = alphabet("init,publish_kick:get_id,drain_begin,drain_end,hold")
    with inline("reference+detach_elsewhere") as target:
        every = unreduced(target, story, 1)
        right, wrong = reduced(target, story, 1), reduced(target, story, 1, reduction)
    assert every.missing_in(right) == NOTHING
    lost = frozenset({"s1-host_notifier_read-detached_elsewhere"})
    assert every.missing_in(wrong)[1] == lost


def test_onward_schedules_have_the_fewest_deviations_first() -> None:
    with inline("reference") as target:
        found = Branches(target, DeviceConfig(), 2).explore((op("init"),), [()])
    lengths = [len(schedule) for schedule in found.onward]
    assert lengths == sorted(lengths)
    assert found.onward[0] == ()
    assert found.schedules == found.merged + len(found.onward)


def test_the_last_operation_has_no_next() -> None:
    story = (op("init"), op("publish_kick"))
    with inline("reference") as target:
        branches = Branches(target, DeviceConfig(), 1)
        onward = branches.explore(story, [()]).onward
        last = branches.explore(story, [()], goes_on=False)
    nexts = sum(each.go is Go.NEXT for schedule in onward for each in schedule)
    assert nexts
    assert last.onward == []
    assert last.schedules < len(onward)


def test_a_history_does_not_depend_on_turns() -> None:
    events: Iterable[Event] = [Event(1, 1), Event(2, 60, 2)]
    later = [event._replace(turn=event.turn + 7) for event in events]
    assert history(events) == history(later)
