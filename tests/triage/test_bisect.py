from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.conftest import BUG
from tests.triage.unsteady import Unsteady
from vblkfuzz.errors import HarnessError, UsageError
from vblkfuzz.oracle.violation import Violation
from vblkfuzz.targets.model import model
from vblkfuzz.targets.target import Target
from vblkfuzz.triage.bisect import Candidate, Change, Judgement, Standing, changes, judge_all

STANDINGS: tuple[Standing, ...] = ("good", "bad", "skip")
S1 = "s1-reset-stop-cleanup_host_notifier-host_notifier_read"


def is_s1(violation: Violation) -> bool:
    return violation.rule == "S1"


def revision(name: str) -> Candidate:
    return Candidate(name, partial(model, name, "inline"))


def test_devices_are_judged_in_order() -> None:
    devices = [revision(name) for name in ("reference", "patch-v4", "qemu-8.0")]
    assert list(judge_all(BUG, devices, is_s1)) == [
        Judgement("reference", "good", 0, 1),
        Judgement("patch-v4", "bad", 1, 1, S1),
        Judgement("qemu-8.0", "bad", 1, 1, "s1-stop_bh-host_notifier_read"),
    ]


def test_other_violations_do_not_count() -> None:
    (judged,) = judge_all(BUG, [revision("patch-v4")], lambda violation: violation.rule == "L5")
    assert judged == Judgement("patch-v4", "good", 0, 1)


def test_one_run_that_shows_it_is_enough() -> None:
    every_third = Candidate("unsteady", lambda: Unsteady(every=3))
    (often,) = judge_all(BUG, [every_third], is_s1, runs=6)
    assert (often.standing, often.bad, often.runs) == ("bad", 2, 6)
    (seldom,) = judge_all(BUG, [every_third], is_s1, runs=2)
    assert (seldom.standing, seldom.bad, seldom.runs) == ("good", 0, 2)


def test_runs_without_a_verdict() -> None:
    failing = Candidate("x", lambda: Unsteady(every=3, error=HarnessError("no answer")))
    (some,) = judge_all(BUG, [failing], is_s1, runs=3)
    assert (some.standing, some.bad, some.runs, some.error) == ("bad", 1, 1, "no answer")
    (none,) = judge_all(BUG, [failing], is_s1, runs=2)
    assert none == Judgement("x", "skip", error="no answer")


@pytest.mark.parametrize("error", [UsageError("no such file"), HarnessError("does not start")])
def test_a_device_that_does_not_start_is_skipped(error: Exception) -> None:
    def fails() -> Target:
        raise error

    found = list(judge_all(BUG, [Candidate("x", fails), revision("reference")], is_s1))
    assert found[0] == Judgement("x", "skip", error=str(error))
    assert found[1].standing == "good"


def judgements(*standings: Standing) -> list[Judgement]:
    return [Judgement(str(at), standing) for at, standing in enumerate(standings)]


def test_where_the_bug_appears_and_disappears() -> None:
    assert changes(judgements("good", "skip", "bad", "bad", "good", "bad")) == [
        Change("0", "2", "bad"),
        Change("3", "4", "good"),
        Change("4", "5", "bad"),
    ]
    assert changes(judgements("bad")) == [Change("", "0", "bad")]
    assert changes(judgements("skip", "good")) == []


@given(st.lists(st.sampled_from(STANDINGS)))
def test_changes_give_all_standings(standings: list[Standing]) -> None:
    found = {change.after: change.standing for change in changes(judgements(*standings))}
    now = "good"
    for at, standing in enumerate(standings):
        now = found.get(str(at), now)
        assert standing in ("skip", now)
