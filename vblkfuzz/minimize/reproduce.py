"""Whether a scenario shows a given bug on a target: the predicate for `minimize`.

A bug is identified by rule and signature. If the input shows it as a cause (`Verdict.causes`), a
scenario that shows it as the consequence of another violation shows another bug. On a target that
is not deterministic, a scenario shows the bug if one of `runs` runs does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vblkfuzz.errors import HarnessError, NotReproduced, UsageError, ZygoteLost
from vblkfuzz.executor import run_scenario
from vblkfuzz.suggestion import did_you_mean

if TYPE_CHECKING:
    from vblkfuzz.executor import Execution
    from vblkfuzz.oracle.verdict import Verdict
    from vblkfuzz.oracle.violation import Violation
    from vblkfuzz.scenario.expectation import Expectation
    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.targets.target import Target


class Bug(NamedTuple):
    """The bug that a scenario is minimized or bisected for."""

    rule: str
    signature: str
    as_cause: bool = False
    """Whether it counts only where no other violation is its cause: beside one, it may be a
    consequence, and the scenario one of the other bug."""

    def within(self, verdict: Verdict) -> Violation | None:
        """Return the violation that shows this bug, or None."""
        return next(
            (
                one
                for one in (verdict.causes if self.as_cause else verdict.violations)
                if (one.rule, one.signature) == (self.rule, self.signature)
            ),
            None,
        )


class Beginning(NamedTuple):
    """The signature of a violation, or the beginning of it, as a user types it."""

    text: str


class Reproduction(NamedTuple):
    """One run that shows a bug."""

    execution: Execution
    violation: Violation

    @property
    def bug(self) -> Bug:
        """The bug that the run shows; if it is a cause there, as one."""
        return Bug(self.violation.rule, self.violation.signature, self.is_cause)

    @property
    def is_cause(self) -> bool:
        """Whether the violation is no consequence of another one."""
        return self.violation in self.execution.verdict.causes


class Reproducer:
    """Runs scenarios on a started target and looks for one bug."""

    def __init__(self, target: Target, bug: Bug, runs: int = 1) -> None:
        self._target = target
        self._bug = bug
        self._runs = runs
        self.harness_errors = 0
        """Runs that gave no verdict."""

    def __call__(self, scenario: Scenario) -> bool:
        """Whether one of the runs shows the bug."""
        return self.run(scenario) is not None

    def surely(self, scenario: Scenario, times: int) -> bool:
        """Whether a scenario shows the bug `times` times in a row."""
        return all(self(scenario) for _ in range(times))

    def run(self, scenario: Scenario) -> Reproduction | None:
        """Return the first run that shows the bug, or None.

        A run without a verdict does not show it; it is counted in `harness_errors`.

        Raises:
            ZygoteLost: the target can run nothing any more.
        """
        for _ in range(self._runs):
            try:
                execution = run_scenario(self._target, scenario)
            except ZygoteLost:
                raise
            except HarnessError:
                self.harness_errors += 1
                continue
            violation = self._bug.within(execution.verdict)
            if violation is not None:
                return Reproduction(execution, violation)
        return None


def find_bug(
    target: Target,
    scenario: Scenario,
    expected: Expectation | Beginning | None = None,
    runs: int = 1,
) -> Reproduction:
    """Return a run that shows the expected bug; without an expectation, the first cause.

    A violation of the same rule with another signature is another bug. An expectation without a
    signature names any violation of its rule. Of several runs, the first that shows it as a cause
    is returned, if there is one.

    Raises:
        NotReproduced: no run shows it.
        HarnessError: a run gave no verdict.
        UsageError: several violations of a run begin as given.
    """
    seen: set[str] = set()
    consequence: Reproduction | None = None
    for _ in range(runs):
        execution = run_scenario(target, scenario)
        violation = _expected(execution.verdict, expected)
        if violation is not None:
            shown = Reproduction(execution, violation)
            if shown.is_cause:
                return shown
            consequence = consequence or shown
        seen.update(one.signature for one in execution.verdict.violations)
    if consequence is not None:
        return consequence
    raise NotReproduced(_not_found(target, expected, seen, runs))


def _expected(verdict: Verdict, expected: Expectation | Beginning | None) -> Violation | None:
    found = (*verdict.causes, *verdict.violations)
    if isinstance(expected, Beginning):
        return _beginning(found, expected.text)
    if expected is None or expected.verdict != "violation":
        return next(iter(found), None)
    return next(
        (
            one
            for one in found
            if expected.signature in ("", one.signature) and expected.rule in ("", one.rule)
        ),
        None,
    )


def _beginning(found: tuple[Violation, ...], text: str) -> Violation | None:
    """Return the violation with a signature, or with the only one that begins like it."""
    alike = {one.signature: one for one in found if one.signature.startswith(text)}
    if text in alike or len(alike) <= 1:
        return alike.get(text) or next(iter(alike.values()), None)
    raise UsageError(f"--signature {text}: several begin like that: {', '.join(sorted(alike))}")


def _not_found(
    target: Target, expected: Expectation | Beginning | None, seen: set[str], runs: int
) -> str:
    where = f"on {target.name} {target.device} ({target.mode})"
    times = f" in {runs} runs" if runs > 1 else ""
    if not seen:
        return f"is clean {where}{times}: there is nothing to reproduce"
    assert expected is not None
    if isinstance(expected, Beginning):
        wanted = expected.text
    else:
        wanted = expected.signature or expected.rule
    meant = did_you_mean(wanted, sorted(seen)) if isinstance(expected, Beginning) else ""
    return f"does not show {wanted} {where}{times}, but {', '.join(sorted(seen))}{meant}"
