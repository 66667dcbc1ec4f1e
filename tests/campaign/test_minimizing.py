"""The orchestrator's side: which findings are minimized, and what becomes of the process."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.campaign.large_findings import SIGNATURE, write_finding
from tests.waiting import until
from vblkfuzz.campaign import minimizing
from vblkfuzz.campaign.minimizing import Minimizing
from vblkfuzz.campaign.options import MINIMIZE_S
from vblkfuzz.errors import ExitStatus
from vblkfuzz.launch.plan import WorkerPlan
from vblkfuzz.minimize.beside import reduction_of
from vblkfuzz.scenario.artifact import read_input
from vblkfuzz.store.confidence import Confidence, confidence_in, keep_confidence
from vblkfuzz.store.finding_files import MINIMIZED
from vblkfuzz.store.rate import Rate
from vblkfuzz.store.reduction import Reduction
from vblkfuzz.store.summary import Summary


@pytest.fixture
def out(tmp_path: Path) -> Path:
    for name in ("findings", "log"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def work(out: Path) -> Iterator[Minimizing]:
    plan = WorkerPlan(index=0, device="patch-v4", mode="inline", seed=1, out=str(out))
    with Minimizing(plan, Summary(), True) as one:
        yield one


def finish(
    work: Minimizing, stop: ExitStatus | None = None, seconds: float = MINIMIZE_S
) -> Summary:
    """Minimize the rest; return the summary."""
    shown: list[Summary] = []
    work.finish(lambda: stop, shown.append, seconds)
    assert all(summary is work.summary for summary in shown)
    return work.summary


def turning_until(work: Minimizing, condition: Callable[[], bool]) -> None:
    """Do as the orchestrator does while workers run."""

    def turned() -> bool:
        work.turn()
        return condition()

    until(turned)


def process_of(work: Minimizing) -> int:
    assert work.pid is not None
    return work.pid


def is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def test_what_is_added_and_what_was_there(out: Path) -> None:
    write_finding(out, "s1-there")
    write_finding(out, "s1-of-another", device="qemu-8.0")
    mine = write_finding(out, "s1-mine")
    (mine / MINIMIZED).write_bytes(b"of the user")
    plan = WorkerPlan(index=0, device="patch-v4", mode="inline", seed=1, out=str(out))
    with Minimizing(plan, Summary(), True) as work:
        work.add(str(write_finding(out, SIGNATURE)))
        work.add(str(mine))
        work.add("")
        shown = []
        work.finish(lambda: None, lambda summary: shown.append(summary.minimizing), MINIMIZE_S)
    assert set(shown) == {(1, 2), (2, 2)}
    assert set(work.summary.minimized) == {SIGNATURE, "s1-there"}
    assert (work.summary.not_minimized, work.summary.minimizing) == ({}, None)
    assert (mine / MINIMIZED).read_bytes() == b"of the user"
    assert not (out / "findings" / "s1-of-another" / MINIMIZED).exists()
    small = out / "findings" / SIGNATURE
    assert reduction_of(small) == work.summary.minimized[SIGNATURE]
    assert confidence_in(small) == work.summary.confidence[SIGNATURE]
    assert work.summary.confidence[SIGNATURE].rate == Rate(5, 5)
    assert set(work.summary.confidence) == {SIGNATURE, "s1-there"}
    assert str(reduction_of(small)).startswith("7 operations + 1 deviation became 4 + 0 in ")


def test_those_of_this_campaign_come_before_those_of_earlier_ones(out: Path) -> None:
    for name in ("s1-b", "s1-c"):
        write_finding(out, name)
    plan = WorkerPlan(index=0, device="patch-v4", mode="inline", seed=1, out=str(out))
    with Minimizing(plan, Summary(), True) as work:
        work.turn()
        for name in ("s1-a", "s1-d"):
            work.add(str(write_finding(out, name)))
        assert list(finish(work).minimized) == ["s1-b", "s1-a", "s1-d", "s1-c"]


def test_without_findings_there_is_no_process(out: Path, work: Minimizing) -> None:
    work.turn()
    assert finish(work).minimizing is None
    assert work.pid is None
    assert list((out / "log").iterdir()) == []


def test_it_is_not_wanted(out: Path) -> None:
    plan = WorkerPlan(index=0, device="patch-v4", mode="inline", seed=1, out=str(out))
    write_finding(out, "s1-there")
    with Minimizing(plan, Summary(), False) as work:
        work.add(str(write_finding(out, SIGNATURE)))
        work.turn()
        summary = finish(work)
    assert (work.pid, summary.minimized, summary.not_minimized) == (None, {}, {})


def test_in_the_background_and_then_the_process_ends(
    out: Path, work: Minimizing, monkeypatch: pytest.MonkeyPatch
) -> None:
    work.add(str(write_finding(out, SIGNATURE)))
    work.turn()
    pid = process_of(work)
    turning_until(work, lambda: bool(work.summary.minimized))
    work.add(str(write_finding(out, "s1-soon")))
    turning_until(work, lambda: len(work.summary.minimized) == 2)
    assert process_of(work) == pid
    monkeypatch.setattr(minimizing, "_LINGER_S", 0.0)
    turning_until(work, lambda: is_gone(pid))
    work.add(str(write_finding(out, "s1-later")))
    assert set(finish(work).minimized) == {SIGNATURE, "s1-soon", "s1-later"}
    assert process_of(work) != pid


def test_one_that_is_minimized_is_noted(out: Path, work: Minimizing) -> None:
    folder = write_finding(out, SIGNATURE)
    (folder / MINIMIZED).write_bytes((folder / "finding.vblk").read_bytes())
    done = Reduction(7, 1, 7, 1, 5, complete=True)
    (folder / "minimized.json").write_text(done.to_json())
    kept = Confidence("model", Rate(3, 4))
    keep_confidence(folder, kept)
    work.add(str(folder))
    assert finish(work).minimized == {SIGNATURE: done}
    assert work.summary.confidence == {SIGNATURE: kept}
    assert work.pid is None


def test_a_killed_process_costs_one_finding(out: Path, work: Minimizing) -> None:
    for name in ("s1-first", "s1-second"):
        work.add(str(write_finding(out, name)))
    work.turn()
    os.kill(process_of(work), signal.SIGKILL)
    summary = finish(work)
    assert set(summary.minimized) == {"s1-second"}
    assert summary.not_minimized == {"s1-first": "the minimizer ended, see log/minimizer.log"}
    assert not list((out / "findings" / "s1-first").glob("minimized*"))


def test_what_a_killed_process_has_kept_counts(out: Path, work: Minimizing) -> None:
    folder = write_finding(out, SIGNATURE)
    work.add(str(folder))
    work.turn()
    (folder / MINIMIZED).write_bytes((folder / "finding.vblk").read_bytes())
    (folder / "minimized.json").write_text(Reduction(7, 1, 6, 1, 5, complete=False).to_json())
    os.kill(process_of(work), signal.SIGKILL)
    assert str(finish(work).minimized[SIGNATURE]).endswith("6 + 1 in 5 tries, not finished")


def test_a_stop_keeps_the_best_so_far(out: Path, work: Minimizing) -> None:
    for name in ("s1-first", "s1-second"):
        work.add(str(write_finding(out, name)))
    work.turn()
    pid = process_of(work)
    until((out / "log" / "minimizer.log").exists)
    summary = finish(work, ExitStatus.USER_STOP)
    assert is_gone(pid)
    assert summary.not_minimized["s1-second"] == ""
    for name in summary.minimized:
        assert read_input(out / "findings" / name / MINIMIZED).expectation is not None


def test_a_process_that_does_not_end_is_killed(
    out: Path, work: Minimizing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(minimizing, "_GRACE_S", 0.1)
    work.add(str(write_finding(out, SIGNATURE)))
    work.turn()
    pid = process_of(work)
    os.kill(pid, signal.SIGSTOP)
    assert finish(work, ExitStatus.USER_STOP).not_minimized == {SIGNATURE: ""}
    assert is_gone(pid)


def test_when_the_time_is_over(out: Path, work: Minimizing) -> None:
    work.add(str(write_finding(out, SIGNATURE)))
    assert finish(work, seconds=0.0).not_minimized == {SIGNATURE: ""}


def test_files_that_cannot_be_written(out: Path, work: Minimizing) -> None:
    damaged, full = write_finding(out, "s1-damaged"), write_finding(out, "s1-full")
    (damaged / "finding.vblk").write_bytes(b"")
    (full / "minimized.toml").mkdir()
    for folder in (damaged, full, write_finding(out, SIGNATURE)):
        work.add(str(folder))
    summary = finish(work)
    assert set(summary.minimized) == {SIGNATURE}
    assert summary.not_minimized["s1-full"] == "Is a directory"
    assert "finding.vblk: byte 0: expected more of" in summary.not_minimized["s1-damaged"]


def test_a_log_that_cannot_be_written(out: Path, work: Minimizing) -> None:
    log = out / "log" / "minimizer.log"
    log.mkdir()
    work.add(str(write_finding(out, SIGNATURE)))
    problem = f"no minimizer: {log}: Is a directory"
    assert finish(work).not_minimized == {SIGNATURE: problem}


def test_the_one_back_end_is_left_to_the_workers(out: Path) -> None:
    from vblkfuzz.targets.options import TargetOptions

    options = TargetOptions(vhost_user_socket="back-end.sock")
    plan = WorkerPlan(0, "patch-v4", "inline", 1, str(out), target_options=options)
    with Minimizing(plan, Summary(), True) as work:
        work.add(str(write_finding(out, SIGNATURE)))
        work.turn()
        assert work.pid is None
        work.turn(seconds=1)
        assert work.pid is not None
