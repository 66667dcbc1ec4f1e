"""All stories are explored, shortest first; what was killed goes on where it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vblkfuzz.errors import InputFileError, UsageError
from vblkfuzz.explore.all_stories import AllStories, Progress, StoryBounds, story_crew
from vblkfuzz.explore.alphabets import alphabet
from vblkfuzz.explore.stories import stories
from vblkfuzz.explore.story_position import NAME, Done, Key, StoryPosition
from vblkfuzz.scenario.device import DeviceConfig

LETTERS = alphabet("init,reset,drain_begin,publish_kick")
BOUNDS = StoryBounds(LETTERS, 4, 0, DeviceConfig())
OF = {"device": "patch-v4"}


def opened(out: Path, bounds: StoryBounds = BOUNDS) -> AllStories:
    return AllStories(bounds, StoryPosition(out, OF))


def run(work: AllStories, most: int = 10**6) -> list[Progress]:
    """Explore at most so many units."""
    seen: list[Progress] = []
    with story_crew("patch-v4", BOUNDS, 1) as crew:
        seen += work.run(crew, lambda: sum(bool(each.done) for each in seen) >= most)
    work.position.keep()
    return seen


def test_all_stories_are_explored_shortest_first(tmp_path: Path) -> None:
    work = opened(tmp_path)
    seen = run(work)
    assert [each.length for each in seen] == sorted(each.length for each in seen)
    assert (seen[-1].done, work.length) == (seen[-1].of, 4)
    expected = sum(len(list(stories(LETTERS, length))) for length in range(1, 5))
    assert work.totals()[:2] == (expected, expected)  # a schedule each


def test_the_bug_of_the_seed_is_found_in_its_shortest_form(tmp_path: Path) -> None:
    """Nothing shorter than a reset of a device with a request, in a drained section."""
    work = opened(tmp_path)
    run(work)
    found = dict(work.news())
    scenario = found["s1-reset-stop-cleanup_host_notifier-host_notifier_read"]
    assert [each.name for each in scenario.ops] == ["init", "drain_begin", "publish_kick", "reset"]
    assert scenario.schedule == ()
    lengths = [len(each.ops) for each in found.values()]
    assert lengths == sorted(lengths)
    assert work.news() == []


def test_what_was_stopped_goes_on(tmp_path: Path) -> None:
    whole = opened(tmp_path / "whole")
    (tmp_path / "whole").mkdir()
    run(whole)
    first = opened(tmp_path)
    run(first, 5)
    assert first.length < 4
    second = opened(tmp_path)
    assert second.position.units >= 5
    seen = run(second)
    assert sum(1 for each in seen if each.done) < len(list(whole.position.up_to(4)))
    assert second.totals() == whole.totals()
    assert second.news() == whole.news()


def test_another_exploration_does_not_go_on(tmp_path: Path) -> None:
    position = StoryPosition(tmp_path, OF)
    position.add(Key(1, 0), Done(4, 4, 0, 0, {}))
    with pytest.raises(UsageError, match="has another device; finish it, remove this file"):
        StoryPosition(tmp_path, {"device": "reference"})
    assert StoryPosition(tmp_path, OF).has(Key(1, 0))
    position.remove()
    assert not (tmp_path / NAME).exists()


@pytest.mark.parametrize(
    "units", [[[[1], [1, 2, 3, 4, {}]]], [[[1, 2], [1]]], [5], 7, {"1": 2}, None]
)
def test_a_damaged_position_is_named(tmp_path: Path, units: object) -> None:
    said = {"format": 1, "of": OF, "units": units}
    (tmp_path / NAME).write_text(json.dumps(said))
    with pytest.raises(InputFileError, match="remove it to begin anew"):
        StoryPosition(tmp_path, OF)
