from __future__ import annotations

from dataclasses import replace

import pytest

from tests.cli.conftest import BUG, CLEAN
from tests.process.faulty import FATAL, Exits
from tests.triage.unsteady import Unsteady
from vblkfuzz.errors import HarnessError, NotReproduced, ZygoteLost
from vblkfuzz.executor import Execution, run_scenario
from vblkfuzz.minimize import reproduce
from vblkfuzz.minimize.on_target import Asked, minimize_input
from vblkfuzz.minimize.reproduce import Bug, Reproducer, Reproduction, find_bug
from vblkfuzz.oracle.verdict import Verdict
from vblkfuzz.scenario.expectation import Expectation
from vblkfuzz.targets.model import model

S1 = Bug("S1", "s1-reset-stop-cleanup_host_notifier-host_notifier_read")


def expected(bug: Bug) -> Expectation:
    return Expectation("violation", bug.rule, bug.signature)


def test_a_bug_is_identified_by_rule_and_signature() -> None:
    with model("patch-v4", "inline") as target:
        assert Reproducer(target, S1)(BUG)
        assert not Reproducer(target, S1)(CLEAN)
        assert not Reproducer(target, S1._replace(rule="S2"))(BUG)
        assert not Reproducer(target, S1._replace(signature="s1"))(BUG)


def test_the_expected_violation_is_preferred_to_the_first() -> None:
    with model("patch-v4", "inline") as target:
        assert find_bug(target, BUG, expected(S1)).bug[:2] == S1[:2]
        assert find_bug(target, BUG).bug[:2] != S1[:2]
        assert find_bug(target, BUG, Expectation("violation", "S1")).bug[:2] == S1[:2]


def test_another_bug_of_the_same_rule_is_not_the_expected_one() -> None:
    """Asked for one crash, the smallest input of another one must not be the answer."""
    another = pytest.raises(
        NotReproduced, match=r"does not show s1-other on model patch-v4 .*, but"
    )
    with model("patch-v4", "inline") as target, another as raised:
        minimize_input(BUG, Expectation("violation", "S1", "s1-other"), Asked(target))
    assert S1.signature in str(raised.value)


def test_what_does_not_reproduce() -> None:
    no_s2 = pytest.raises(NotReproduced, match=r"does not show s2 on model patch-v4 .*, but s1-")
    with model("patch-v4", "inline") as target, no_s2:
        find_bug(target, BUG, Expectation("violation", "S2", "s2"))
    with model("reference", "inline") as target:
        with pytest.raises(NotReproduced, match="is clean on model reference"):
            find_bug(target, BUG, expected(S1))
        with pytest.raises(NotReproduced, match="is clean on model reference"):
            find_bug(target, BUG, None, runs=2)


def test_a_bug_that_comes_now_and_then() -> None:
    with Unsteady(every=3) as target:
        assert [Reproducer(target, S1)(BUG) for _ in range(6)] == [False, False, True] * 2
        assert all(Reproducer(target, S1, runs=3)(BUG) for _ in range(4))
        assert find_bug(target, BUG, expected(S1), runs=3).bug[:2] == S1[:2]
        asked = Asked(target, runs=3)
        assert len(minimize_input(BUG, expected(S1), asked).minimized.scenario.ops) == 4


def test_runs_without_a_verdict_are_counted() -> None:
    with Unsteady(every=2, error=HarnessError("no answer")) as target:
        shows = Reproducer(target, S1, runs=2)
        assert shows(BUG)
        assert shows.harness_errors == 1
    with Unsteady(every=2, error=ZygoteLost("gone")) as target, pytest.raises(ZygoteLost):
        Reproducer(target, S1, runs=2)(BUG)


def test_the_quick_target_is_confirmed() -> None:
    with model("patch-v4", "processes") as target, model("patch-v4", "inline") as quick:
        found = minimize_input(BUG, expected(S1), Asked(target, quick))
    assert found.minimized.tried > 0
    assert found.reproduction.execution.scenario == found.minimized.scenario
    assert found.reproduction.bug[:2] == S1[:2]
    assert found.reproduction.execution.trace.handovers > 0


def test_the_result_of_a_quick_target_that_behaves_differently_is_not_used() -> None:
    with model("patch-v4", "inline") as target:
        with model("reference", "inline") as quick:
            clean = minimize_input(BUG, expected(S1), Asked(target, quick))
        with model("patch-v4", "inline") as same:
            assert clean == minimize_input(BUG, expected(S1), Asked(target, same))


@pytest.mark.parametrize("quickly", [False, True])
def test_a_bug_that_ends_its_process_is_minimized(quickly: bool) -> None:
    with (
        model("exits", "processes", device_class=Exits) as target,
        model("exits", "inline", device_class=Exits) as quick,
    ):
        asked = Asked(target, quick if quickly else None)
        found = minimize_input(FATAL, None, asked).minimized.scenario
    assert len(found.ops) == 1


def test_a_cause_stays_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scenario that shows it as a consequence would be one of the other bug."""
    with model("patch-v4", "inline") as target:
        both = run_scenario(target, BUG)
        later = next(one for one in both.verdict.violations if one not in both.verdict.causes)
        alone = replace(both, verdict=Verdict((later,)))
        consequence, cause = Reproduction(both, later).bug, Reproduction(alone, later).bug
        assert (consequence.as_cause, cause.as_cause) == (False, True)
        runs: list[Execution] = []
        monkeypatch.setattr(reproduce, "run_scenario", lambda _target, _scenario: runs.pop(0))

        runs += [both, both, both, alone]
        assert Reproducer(target, consequence)(BUG)
        assert not Reproducer(target, cause)(BUG)
        assert Reproducer(target, cause, runs=2)(BUG)

        runs += [both, alone, both, both]
        assert find_bug(target, BUG, expected(cause), runs=2).is_cause
        assert not find_bug(target, BUG, expected(cause), runs=2).is_cause
        assert runs == []
