"""A bug of a real device is saved with the schedule that shows it each time, or most often."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.explore.gated import Threads
from tests.explore.test_at_gate import SCENARIO
from vblkfuzz.explore.exploration import Bounds, Exploration
from vblkfuzz.explore.explored import Explored, Found
from vblkfuzz.scenario.artifact import read_input
from vblkfuzz.scenario.scenario import Deviation, Go, Role
from vblkfuzz.store.confidence import Confidence, confidence_in
from vblkfuzz.store.rate import Rate
from vblkfuzz.triage.rerun import RERUNS

BY_CHANCE = Deviation(3, 0, Go.IO0, role=Role.MAIN)
OFTEN = Deviation(3, 1, Go.IO0, role=Role.MAIN)
ALWAYS = Deviation(0, 1, Go.NEXT, role=Role.MAIN)


def explored(out: Path, target: Threads) -> tuple[Explored, list[Found]]:
    (out / "findings").mkdir(exist_ok=True)
    work = Exploration(target, SCENARIO, Bounds(1), out, {})
    return work.explored, [found for each in work.visits() for found in work.explored.add(each)]


def shown(*found: Found) -> list[Rate | None]:
    return [one.confidence.rate if one.confidence else None for one in found]


def test_the_schedule_that_shows_it_most_often_is_kept(tmp_path: Path) -> None:
    target = Threads()
    target.rare.update({BY_CHANCE: 1, OFTEN: 4})
    target.hangs.add(ALWAYS)
    result, found = explored(tmp_path, target)
    assert shown(*found) == [Rate(0, RERUNS), Rate(3, RERUNS), Rate(RERUNS, RERUNS)]
    (kept,) = result.findings.values()
    assert kept.tried == 3
    rates = Rate(RERUNS, RERUNS), Rate(0, RERUNS)
    assert kept.confidence == Confidence("threads", *rates, target.versions)
    assert confidence_in(Path(kept.path)) == kept.confidence
    (deviation,) = read_input(f"{kept.path}/finding.vblk").scenario.schedule
    assert (deviation.op, deviation.point) == (ALWAYS.op, ALWAYS.point)
    assert [path.name for path in (tmp_path / "findings").iterdir()] == [kept.signature]


def test_a_better_schedule_that_cannot_be_saved_takes_nothing_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = Threads()
    target.rare.update({BY_CHANCE: 1})
    target.hangs.add(ALWAYS)
    save = Explored._save

    def full(self: Explored, *what: Any) -> Found:  # noqa: ANN401 -- what `_save` takes
        if self.findings:
            raise OSError("no space left")
        return save(self, *what)

    monkeypatch.setattr(Explored, "_save", full)
    with pytest.raises(OSError, match="no space left"):
        explored(tmp_path, target)
    (kept,) = (tmp_path / "findings").iterdir()
    assert (kept / "finding.vblk").exists()


def test_one_that_shows_it_each_time_has_no_rivals(tmp_path: Path) -> None:
    target = Threads()
    target.hangs |= {BY_CHANCE, ALWAYS}
    _, found = explored(tmp_path, target)
    assert (shown(*found), found[0].tried) == ([Rate(RERUNS, RERUNS)], 1)
    once = [schedule for schedule in target.ran if schedule == (BY_CHANCE,)]
    assert len(once) == 1 + RERUNS
    assert target.ran.count((ALWAYS,)) == 1


def test_a_rival_runs_only_as_long_as_it_may_be_better(tmp_path: Path) -> None:
    target = Threads()
    target.rare.update({BY_CHANCE: 5, OFTEN: 2})
    result, _ = explored(tmp_path, target)
    (kept,) = result.findings.values()
    assert (kept.shown, kept.tried) == (4, 2)
    assert target.ran.count((BY_CHANCE,)) == 1 + RERUNS
    assert target.ran.count((OFTEN,)) == 1 + 2  # again in the first run, not in the second


def test_only_so_many_schedules_are_tried(tmp_path: Path) -> None:
    target = Threads()
    schedules = [Deviation(3, at, Go.IO0, role=Role.MAIN, locks=True) for at in range(39)]
    target.rare.update(dict.fromkeys(schedules, 1))
    result, found = explored(tmp_path, target)
    (kept,) = result.findings.values()
    assert (shown(*found), kept.tried) == ([Rate(0, RERUNS)], 30)


def test_a_finding_of_before_stays_as_it_is(tmp_path: Path) -> None:
    first = Threads()
    first.rare.update({BY_CHANCE: 1})
    (found,) = explored(tmp_path, first)[1]
    before = {path: path.read_bytes() for path in Path(found.path).iterdir()}
    second = Threads()
    second.hangs.add(ALWAYS)
    explored(tmp_path, second)
    assert {path: path.read_bytes() for path in Path(found.path).iterdir()} == before


def test_a_run_without_a_verdict_does_not_show_it(tmp_path: Path) -> None:
    target = Threads()
    target.rare.update({BY_CHANCE: 1})
    (tmp_path / "findings").mkdir()
    work = Exploration(target, SCENARIO, Bounds(1), tmp_path, {})
    for visit in work.visits():
        target.lost.add(BY_CHANCE)
        work.explored.add(visit)
        target.lost.clear()
    assert shown(*work.explored.findings.values()) == [Rate(harness_errors=RERUNS)]
