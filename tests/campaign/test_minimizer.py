"""The minimizer's side: one finding on targets of this process, its pace, and what it answers."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.campaign.large_findings import LARGE, SIGNATURE, write_finding
from tests.cli.conftest import BUG
from tests.triage.unsteady import Unsteady
from vblkfuzz.campaign import minimizer
from vblkfuzz.campaign.minimizer import answer
from vblkfuzz.campaign.minimizing_order import Answer, Order, Orders
from vblkfuzz.errors import ActorHung, ZygoteLost
from vblkfuzz.minimize.beside import reduction_of
from vblkfuzz.minimize.on_target import Asked
from vblkfuzz.scenario.artifact import Artifact, dump_artifact, read_input
from vblkfuzz.store.confidence import Confidence, confidence_in
from vblkfuzz.store.finding_files import MINIMIZED
from vblkfuzz.store.rate import Rate
from vblkfuzz.store.reduction import Reduction
from vblkfuzz.targets.model import model
from vblkfuzz.targets.target import Target
from vblkfuzz.triage.rerun import RERUNS, rerun

REGRESS = Path(__file__).parents[2] / "corpus" / "regress"


class Pipe:
    """The orchestrator's end of the orders."""

    def __init__(self) -> None:
        read, self.write_fd = os.pipe()
        self.orders = Orders(read)
        self._read = read

    def send(self, order: Order) -> None:
        os.write(self.write_fd, order.to_line())

    def close(self) -> None:
        if self.write_fd >= 0:
            os.close(self.write_fd)
            self.write_fd = -1

    def end(self) -> None:
        self.close()
        os.close(self._read)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    one = Pipe()
    yield one
    one.end()


@pytest.fixture
def finding(tmp_path: Path) -> Path:
    return write_finding(tmp_path, SIGNATURE)


def at_once(finding: Path) -> Order:
    return Order(str(finding), seconds=600)


def on_seed(pipe: Pipe, order: Order) -> Answer:
    with model("patch-v4", "inline") as target:
        return answer(Asked(target), pipe.orders, order)


def test_orders_and_answers_are_lines(pipe: Pipe) -> None:
    for order in (Order("a", 1.5), Order("b\n")):
        pipe.send(order)
    assert [pipe.orders.next(), pipe.orders.next()] == [Order("a", 1.5), Order("b\n")]
    pipe.send(Order(seconds=3))
    assert pipe.orders.pause(60) == Order(seconds=3)
    assert pipe.orders.pause(0) is None
    pipe.close()
    assert (pipe.orders.next(), pipe.orders.pause(60), pipe.orders.ended) == (None, None, True)
    for each in (Answer(Reduction(4, 3, 2, 1, 5, complete=False)), Answer(problem="é")):
        assert Answer.from_line(each.to_line()) == each


def test_to_the_end(pipe: Pipe, finding: Path) -> None:
    reduction = on_seed(pipe, at_once(finding)).reduction
    assert reduction is not None
    assert (reduction.ops, reduction.deviations, reduction.complete) == (4, 0, True)
    assert reduction == reduction_of(finding)


def test_stopped_with_the_best_so_far(
    pipe: Pipe, finding: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause, tries = pipe.orders.pause, iter(range(100))

    def end(seconds: float) -> Order | None:
        if next(tries) == 5:
            pipe.close()
        return pause(seconds)

    monkeypatch.setattr(pipe.orders, "pause", end)
    reduction = on_seed(pipe, at_once(finding)).reduction
    assert reduction is not None
    assert (reduction.tried, reduction.complete) == (6, False)
    best = read_input(finding / MINIMIZED)
    assert best.expectation is not None
    assert best.expectation.signature == SIGNATURE


@pytest.mark.parametrize("seconds", [600, 0.000_001], ids=["the campaign ends", "out of time"])
def test_stopped_before_there_is_a_better_one(pipe: Pipe, tmp_path: Path, seconds: float) -> None:
    finding = write_finding(tmp_path, SIGNATURE, scenario=BUG)
    if seconds == 600:
        pipe.close()
    found = on_seed(pipe, Order(str(finding), seconds))
    assert found == Answer(problem="nothing smaller found in 1 run")
    assert not (finding / MINIMIZED).exists()


def test_the_tries_are_those_of_all_searches(
    pipe: Pipe, finding: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(minimizer, "TRIES", 4)
    first = on_seed(pipe, at_once(finding)).reduction
    assert first is not None
    assert (first.tried, first.complete) == (4, False)
    monkeypatch.setattr(minimizer, "TRIES", 2000)
    second = on_seed(pipe, at_once(finding)).reduction
    assert second is not None
    assert (second.tried > 4, second.ops, second.complete) == (True, 4, True)


def test_beside_workers_it_rests_most_of_the_time(
    pipe: Pipe, finding: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It worked a second before each pause; an order ends the pauses."""
    clock = iter(range(0, 10_000, 1))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    pauses: list[float] = []

    def pause(seconds: float) -> Order | None:
        pauses.append(seconds)
        return at_once(finding) if len(pauses) == 3 else None

    monkeypatch.setattr(pipe.orders, "pause", pause)
    on_seed(pipe, Order(str(finding)))
    assert min(pauses[:3]) >= 49.0
    assert len(pauses) > 10
    assert set(pauses[3:]) == {0}


def test_a_smaller_one_is_kept_meanwhile(
    pipe: Pipe, finding: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(minimizer, "_SAVE_S", 0.0)
    kept: list[int] = []
    pause = pipe.orders.pause

    def look(seconds: float) -> Order | None:
        reduction = reduction_of(finding)
        if reduction and not reduction.complete:
            kept.append(reduction.ops)
        return pause(seconds)

    monkeypatch.setattr(pipe.orders, "pause", look)
    on_seed(pipe, at_once(finding))
    assert kept == sorted(kept, reverse=True)
    assert len(set(kept)) > 1


def test_a_bug_that_shows_now_and_then(pipe: Pipe, finding: Path) -> None:
    """It shows in every third run: each candidate gets as many."""
    with Unsteady(every=3) as target:
        found = answer(Asked(target), pipe.orders, at_once(finding)).reduction
    assert found is not None
    assert (found.ops, found.complete) == (4, True)


def test_a_smaller_one_that_does_not_show_again(
    pipe: Pipe, finding: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The runs after the search, which decide whether it is kept."""
    monkeypatch.setattr("vblkfuzz.campaign.minimizer._Search._shown", lambda *_: None)
    with Unsteady(every=1) as target:
        found = answer(Asked(target), pipe.orders, at_once(finding))
    assert found == Answer(problem="it did not show again")
    assert not (finding / MINIMIZED).exists()


def test_a_bug_that_does_not_show_again(pipe: Pipe, finding: Path) -> None:
    with model("reference", "inline") as target:
        assert answer(Asked(target), pipe.orders, at_once(finding)) == Answer(
            problem="it did not show again"
        )
    assert not (finding / MINIMIZED).exists()


def test_errors_of_the_harness(pipe: Pipe, finding: Path) -> None:
    with Unsteady(every=1000, error=ActorHung("Traceback\nit hung")) as target:
        assert answer(Asked(target), pipe.orders, at_once(finding)).problem == "it hung"
    lost = pytest.raises(ZygoteLost)
    with Unsteady(every=1000, error=ZygoteLost("gone")) as target, lost:
        answer(Asked(target), pipe.orders, at_once(finding))


def test_a_finding_without_a_signature(pipe: Pipe, finding: Path) -> None:
    from dataclasses import replace

    path = finding / "finding.vblk"
    path.write_bytes(dump_artifact(replace(read_input(path), expectation=None)))
    problem = on_seed(pipe, at_once(finding)).problem
    assert problem == f"{finding}: expect: expected the signature of a violation"
    assert read_input(path).scenario == LARGE


class TestRate:
    """The re-runs that follow the search."""

    def test_it_is_that_of_the_smallest_input(self, pipe: Pipe, finding: Path) -> None:
        on_seed(pipe, at_once(finding))
        assert read_input(finding / MINIMIZED).scenario.schedule == ()
        assert confidence_in(finding) == Confidence("model", Rate(RERUNS, RERUNS))

    def test_a_schedule_that_is_needed(self, pipe: Pipe, tmp_path: Path) -> None:
        needs = read_input(REGRESS / "s3-handler-not-submitted" / "scenario.toml")
        folder = write_finding(tmp_path, "s3-popped", "qemu-9.0", needs.scenario)
        (folder / "finding.vblk").write_bytes(dump_artifact(needs))
        with model("qemu-9.0", "inline") as target:
            assert answer(Asked(target), pipe.orders, at_once(folder)).reduction
        assert confidence_in(folder) == Confidence("model", Rate(RERUNS, RERUNS), Rate(0, RERUNS))

    def test_a_bug_that_shows_now_and_then(self, pipe: Pipe, finding: Path) -> None:
        with Unsteady(every=2) as target:
            answer(Asked(target), pipe.orders, at_once(finding))
        kept = confidence_in(finding)
        assert kept is not None
        assert (kept.target, kept.rate.runs, kept.rate.varies) == ("unsteady", RERUNS, True)

    def test_a_bug_that_does_not_show_again(self, pipe: Pipe, finding: Path) -> None:
        with model("reference", "inline") as target:
            answer(Asked(target), pipe.orders, at_once(finding))
        kept = confidence_in(finding)
        assert kept == Confidence("model", Rate(0, RERUNS), Rate(0, RERUNS))

    @pytest.mark.parametrize("after", [0, 2])
    def test_the_campaign_ends_before_all_of_them(
        self, pipe: Pipe, finding: Path, monkeypatch: pytest.MonkeyPatch, after: int
    ) -> None:
        runs: list[int] = []

        def counted(target: Target, artifact: Artifact) -> Confidence | None:
            runs.append(1)
            if len(runs) == after:
                pipe.close()
            return rerun(target, artifact)

        monkeypatch.setattr(minimizer, "rerun", counted)
        if not after:
            pipe.close()
        on_seed(pipe, at_once(finding))
        expected = Confidence("model", Rate(after, after)) if after else None
        assert confidence_in(finding) == expected

    def test_time_is_left_for_them(self, pipe: Pipe, tmp_path: Path) -> None:
        """The search ends before its seconds do; without a second nothing is measured."""
        finding = write_finding(tmp_path, SIGNATURE, scenario=BUG)
        pace = minimizer._Pace(pipe.orders, Order(str(finding), seconds=1000), 1)
        monotonic = time.monotonic()
        assert pace._deadline < monotonic + 760 < monotonic + 990 < pace._rerun_deadline
        on_seed(pipe, Order(str(finding), seconds=0.000_001))
        assert confidence_in(finding) is None

    def test_beside_workers_it_rests(
        self, pipe: Pipe, finding: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pauses: list[float] = []
        monkeypatch.setattr(pipe.orders, "pause", pauses.append)

        def noted(target: Target, artifact: Artifact) -> Confidence | None:
            pauses.clear()
            return rerun(target, artifact)

        monkeypatch.setattr(minimizer, "rerun", noted)
        on_seed(pipe, Order(str(finding)))
        (pause,) = pauses
        assert pause > 0
