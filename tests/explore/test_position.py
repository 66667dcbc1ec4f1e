"""An exploration that was stopped goes on where it was; another one does not."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import pytest

from tests.explore.gated import OPS, Threads
from tests.explore.test_at_gate import SCENARIO
from vblkfuzz.errors import DeviceLost, HarnessError, UsageError
from vblkfuzz.explore.exploration import Bounds, Exploration
from vblkfuzz.explore.position import NAME
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Deviation, Go, Role, Scenario
from vblkfuzz.store.confidence import confidence_in
from vblkfuzz.targets.model import model
from vblkfuzz.targets.options import NO_OPTIONS, TargetOptions

LOST = Deviation(3, 1, Go.IO0, role=Role.MAIN)
HANG = Deviation(3, 2, Go.NEXT, role=Role.MAIN)

BOUNDS = Bounds(2)


def exploration(
    out: Path,
    target: Threads,
    scenario: Scenario = SCENARIO,
    bounds: Bounds = BOUNDS,
    options: TargetOptions = NO_OPTIONS,
) -> Exploration:
    (out / "findings").mkdir(exist_ok=True)
    made = Exploration(target, scenario, bounds, out, {})
    made.remember(options)
    return made


def run(work: Exploration, most: int | None = None) -> None:
    for visit in islice(work.visits(), most):
        work.explored.add(visit)
    work.explored.complete = most is None
    work.keep(now=True)


def ruined(*hangs: Deviation) -> Threads:
    target = Threads()
    target.lost.add(LOST)
    target.hangs |= set(hangs)
    return target


def test_it_goes_on_where_it_was(tmp_path: Path) -> None:
    whole, first, second = ruined(), ruined(), ruined()
    run(exploration(tmp_path, first), 40)
    run(exploration(tmp_path, second), 20)
    assert first.ran + second.ran == _from_the_start(tmp_path, whole)[: len(first.ran) + 20]


def test_a_schedule_that_the_stop_has_cut_off_runs_again(tmp_path: Path) -> None:
    """SIGTERM to the process group ends the device as well."""
    work = exploration(tmp_path, ruined())
    work.explored.stopped = lambda: True
    with pytest.raises(HarnessError):
        run(work)
    work.keep(now=True)
    assert work.explored.unjudged == []
    after = exploration(tmp_path, Threads())
    assert after.explored.schedules == work.explored.schedules > 0
    run(after)
    assert after.explored.complete and after.explored.unjudged == []


def _from_the_start(tmp_path: Path, target: Threads) -> list[tuple[Deviation, ...]]:
    (tmp_path / "other").mkdir()
    run(exploration(tmp_path / "other", target))
    return target.ran


def test_the_results_so_far_are_kept(tmp_path: Path) -> None:
    before = exploration(tmp_path, ruined(HANG))
    run(before, 40)
    after = exploration(tmp_path, ruined(HANG)).explored
    (found,) = after.findings.values()
    assert found.where == (
        "in operation 3, hold the main loop at event (its point 2) over the next operation",
    )
    assert Path(found.path, "finding.vblk").exists()
    assert found == next(iter(before.explored.findings.values()))
    assert found.confidence == confidence_in(Path(found.path)) is not None
    assert [one.where for one in after.unjudged] == [
        ("in operation 3, hold the main loop at its point 1 until iothread 0 rests",)
    ]
    assert after.findings == before.explored.findings
    assert after.learnt == before.explored.learnt


def test_a_complete_one_begins_anew(tmp_path: Path) -> None:
    run(exploration(tmp_path, Threads(), bounds=Bounds(1)), 9)
    assert (tmp_path / NAME).exists()
    run(exploration(tmp_path, Threads(), bounds=Bounds(1)))
    assert not (tmp_path / NAME).exists()
    assert exploration(tmp_path, Threads(), bounds=Bounds(2)).explored.schedules == 0


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"scenario": Scenario(ops=(op("kick"),) * OPS)}, "scenario"),
        ({"bounds": Bounds(3)}, "number of deviations"),
        ({"bounds": Bounds(2, (1,))}, "choice of operations"),
        ({"options": TargetOptions(qemu_binary="other")}, "option of the target"),
    ],
)
def test_another_one_is_refused_in_one_line(
    tmp_path: Path, change: dict[str, object], what: str
) -> None:
    run(exploration(tmp_path, Threads()), 9)
    with pytest.raises(UsageError, match=f"an unfinished exploration has another {what};"):
        exploration(tmp_path, Threads(), **change)  # type: ignore[arg-type]


def test_another_version_of_the_program_is_refused(tmp_path: Path) -> None:
    run(exploration(tmp_path, Threads()), 9)
    newer = Threads()
    newer.versions = {"threads": "1.1"}
    with pytest.raises(UsageError, match="has another version of the program;"):
        exploration(tmp_path, newer)


def test_the_schedule_of_the_input_does_not_matter(tmp_path: Path) -> None:
    run(exploration(tmp_path, Threads()), 9)
    other = Scenario(ops=SCENARIO.ops, schedule=(Deviation(0, 0, Go.NEXT),))
    assert exploration(tmp_path, Threads(), other).explored.schedules == 9


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "Expecting value"),
        ("[]", r"expected format 2, found \[\]"),
        ('{"format": 1}', "expected format 2, found 1"),
        ('{"format": 2}', "expected what explore writes"),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, content: str, problem: str) -> None:
    (tmp_path / NAME).write_text(content)
    with pytest.raises(UsageError, match=f"{NAME}: {problem}.*; remove it to begin anew"):
        exploration(tmp_path, Threads())


def test_the_file_is_small(tmp_path: Path) -> None:
    """Equal counts are written once."""
    run(exploration(tmp_path, Threads()), 150)
    said = json.loads((tmp_path / NAME).read_text())
    assert len(said["learnt"]) == 150
    assert len(said["counts"]) <= 3


def test_an_error_of_the_plain_scenario_ends_it(tmp_path: Path) -> None:
    work = exploration(tmp_path, Threads())
    with pytest.raises(DeviceLost):
        work.explored.fail((), DeviceLost("it is gone"))


def test_errors_one_after_another_end_it(tmp_path: Path) -> None:
    explored = exploration(tmp_path, Threads()).explored
    for _ in range(19):
        explored.fail((LOST,), DeviceLost("it is gone"))
    with pytest.raises(DeviceLost):
        explored.fail((LOST,), DeviceLost("it is gone"))
    assert len(explored.unjudged) == 20


def test_on_the_model_nothing_is_remembered(tmp_path: Path) -> None:
    with model("reference", "inline") as target:
        work = Exploration(target, SCENARIO, Bounds(1), tmp_path, {})
        work.remember(NO_OPTIONS)
        run(work, 5)
    assert not work.remembers
    assert list(tmp_path.iterdir()) == []
