"""The outcome of replaying one input: one or more runs, the run to report, the expectation.

A run without a verdict (`HarnessError`) is recorded in the outcome, too, so the other inputs of the
call still run. Printed by `cli.views.replay_text`, written as JSON by `cli.views.replay_json`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.errors import HarnessError
from vblkfuzz.executor import Execution, run_scenario
from vblkfuzz.targets.options import BINARY_OPTIONS, NO_OPTIONS, TargetOptions

if TYPE_CHECKING:
    from vblkfuzz.oracle.verdict import Verdict
    from vblkfuzz.oracle.violation import Violation
    from vblkfuzz.scenario.artifact import Artifact
    from vblkfuzz.scenario.expectation import Expectation, VerdictKind
    from vblkfuzz.store.confidence import Confidence
    from vblkfuzz.targets.target import Target

_WORST_FIRST: Final[tuple[VerdictKind, ...]] = ("violation", "harness_error", "clean")


class Setup(NamedTuple):
    """What an input runs on, with the names of the options."""

    target: str
    device: str
    mode: str


@dataclass(frozen=True, slots=True)
class Run:
    """One run of an input."""

    verdict: VerdictKind
    execution: Execution | None = None
    violation: Violation | None = None
    """The violation to report: the expected one if there is one, else the first."""
    error: str = ""
    """Why there is no verdict."""

    @property
    def rule(self) -> str:
        """Rule of the reported violation; empty: there is none."""
        return self.violation.rule if self.violation else ""

    @property
    def signature(self) -> str:
        """Signature of the reported violation; empty: there is none."""
        return self.violation.signature if self.violation else ""

    @property
    def digest(self) -> str:
        """Digest of the trace; empty: there is none."""
        return self.execution.trace.digest if self.execution else ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of replaying one input."""

    input: str
    """Path of the input."""
    artifact: Artifact
    setup: Setup
    run: Run
    """The run to report: the first with a violation, else the first without a verdict."""
    runs: int = 1
    same: int = 1
    """Number of runs with the same verdict, signature and digest as the reported one."""
    reproduced: int = 0
    """Number of runs with the verdict and signature that the input was saved for."""
    harness_errors: int = 0
    """Number of runs without a verdict."""
    confidence: Confidence | None = None
    """How often the bug showed, with and without the schedule; None: it was not to be measured
    (`triage.rerun`)."""
    target_options: TargetOptions = NO_OPTIONS
    """Options of the target that it ran on."""
    versions: dict[str, str] = field(default_factory=dict)
    """Version by name of the program that was the device; empty: not known."""

    @property
    def unsteady(self) -> str:
        """Says so, if a deterministic device showed the bug in some of its runs only."""
        return self.confidence.unsteady if self.confidence else ""

    @property
    def expectation(self) -> Expectation | None:
        """The expectation; None: there is none, or it is for another device."""
        return self.artifact.expectation if self.as_recorded else None

    @property
    def matches(self) -> bool | None:
        """Whether the reported run meets the expectation; None: there is none for this device."""
        expected = self.expectation
        if expected is None:
            return None
        return _reproduces(self.run, expected)

    @property
    def notes(self) -> list[str]:
        """Notes for the reader, one line each."""
        notes = []
        recorded, artifact = self.artifact.trace_digest, self.artifact
        if artifact.expectation and not self.as_recorded:
            setup = f"{artifact.target}, {artifact.device}"
            notes.append(f"expectation not compared: it is for {setup}")
        if recorded and self.run.digest and self.as_recorded and recorded != self.run.digest:
            notes.append(f"the trace is not the recorded one, digest {recorded}")
        notes += self.other_versions
        notes += [self.unsteady] if self.unsteady else []
        if artifact.mode == "free":
            notes.append("recorded in mode free, where the schedule is not controlled")
        return notes

    @property
    def other_versions(self) -> list[str]:
        """A note for each program that has another version than when the input was found."""
        found = self.artifact.versions
        return [
            f"found on {name} {found[name]}, run on {version}{_another(name)}"
            for name, version in self.versions.items()
            if found.get(name, version) != version
        ]

    @property
    def as_recorded(self) -> bool:
        """Whether it ran on the target and device that it was recorded on."""
        return (self.setup.target, self.setup.device) == (
            self.artifact.target,
            self.artifact.device,
        )


def _another(program: str) -> str:
    """Return how to run another build of a program; empty: no option names one."""
    option = BINARY_OPTIONS.get(program)
    return f"; {option} PATH runs another one" if option else ""


def replay_input(
    path: str, artifact: Artifact, target: Target, most: int, least: int = 0
) -> Outcome:
    """Run an input on a started target.

    Args:
        path: of the input.
        artifact: the input, with what it was saved for.
        target: runs it.
        most: runs, at least 1.
        least: runs that are to reproduce it; they end as soon as that is out of reach.
    """
    setup = Setup(target.name, target.device, target.mode)
    count: Counter[tuple[str, str, str]] = Counter()
    reported: Run | None = None
    runs = reproduced = errors = 0
    while runs < most and (not runs or reproduced + most - runs >= least):
        runs += 1
        run = _run(target, artifact)
        reproduced += _reproduces(run, artifact.expectation)
        errors += run.verdict == "harness_error"
        count[_key(run)] += 1
        if reported is None or _rank(run) < _rank(reported):
            reported = run
    assert reported is not None, "there is one run at least"
    same = count[_key(reported)]
    versions: dict[str, str] = getattr(target, "versions", {})
    counts = runs, same, reproduced, errors
    return Outcome(path, artifact, setup, reported, *counts, versions=dict(versions))


def _run(target: Target, artifact: Artifact) -> Run:
    try:
        execution = run_scenario(target, artifact.scenario)
    except HarnessError as error:
        return Run("harness_error", error=str(error) or type(error).__name__)
    if execution.verdict.clean:
        return Run("clean", execution)
    return Run("violation", execution, _reported(execution.verdict, artifact.expectation))


def _reported(verdict: Verdict, expected: Expectation | None) -> Violation:
    """Return the violation to report: by signature, else by rule as expected, else the first."""
    found = (*verdict.causes, *verdict.violations)
    if expected is None:
        return found[0]
    by_signature = (one for one in found if one.signature == expected.signature)
    by_rule = (one for one in found if one.rule == expected.rule)
    return next(by_signature, None) or next(by_rule, found[0])


def _reproduces(run: Run, expected: Expectation | None) -> bool:
    if expected is None:
        return run.verdict == "violation"
    return (
        run.verdict == expected.verdict
        and expected.rule in ("", run.rule)
        and expected.signature in ("", run.signature)
    )


def _key(run: Run) -> tuple[str, str, str]:
    return run.verdict, run.signature, run.digest


def _rank(run: Run) -> int:
    return _WORST_FIRST.index(run.verdict)
