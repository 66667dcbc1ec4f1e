"""A case: one input that was run again, and the campaign's record of it.

`triage` and `export` show cases. Every case has an outcome: for an input that could not be judged,
the outcome says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vblkfuzz.errors import HarnessError
from vblkfuzz.oracle.judge import RULES, rule_named
from vblkfuzz.oracle.naming.known import explanation
from vblkfuzz.scenario.artifact import DEFAULT_TARGET
from vblkfuzz.targets.device_class import device_class, is_revision
from vblkfuzz.triage.schedule_words import held_at
from vblkfuzz.triage.shell_word import shell_line
from vblkfuzz.triage.step import Step, steps_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vblkfuzz.executor import Execution
    from vblkfuzz.oracle.rule import Rule
    from vblkfuzz.oracle.violation import Violation
    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.store.confidence import Confidence
    from vblkfuzz.store.reduction import Reduction
    from vblkfuzz.store.sightings import Sightings
    from vblkfuzz.triage.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Case:
    """One input that was run again."""

    outcome: Outcome
    sightings: Sightings | None = None
    reduction: Reduction | None = None
    """How the input came about, if it is a minimized one beside a finding."""
    confidence: Confidence | None = None
    """How often it shows its bug: measured by this call, or kept beside the finding."""

    @property
    def scenario(self) -> Scenario:
        """The scenario that was run."""
        return self.outcome.artifact.scenario

    @property
    def violation(self) -> Violation | None:
        """The violation to report; None: there is none."""
        return self.outcome.run.violation

    @property
    def execution(self) -> Execution:
        """The execution to report.

        Raises:
            HarnessError: the input could not be judged.
        """
        run = self.outcome.run
        if run.execution is None:
            last = run.error.rstrip().rpartition("\n")[2]
            raise HarnessError(f"{self.outcome.input}: not judged: {last}")
        return run.execution

    @property
    def rule(self) -> Rule | None:
        """The broken rule; None: no violation."""
        return rule_named(self.violation.rule) if self.violation else None

    @property
    def signature(self) -> str:
        """Signature of the bug that the input was saved for, else of the one it shows, or empty."""
        expected = self.outcome.artifact.expectation
        return (expected.signature if expected else "") or self.outcome.run.signature

    @property
    def expected_rule(self) -> Rule | None:
        """The rule that the input was saved for, even if it was not broken this time."""
        expected = self.outcome.artifact.expectation
        return (rule_named(expected.rule) if expected else None) or self.rule

    @property
    def known(self) -> str:
        """Description of the bug, if the revision of the model is known to have it; else empty."""
        target, device, _ = self.outcome.setup
        if target != DEFAULT_TARGET or not is_revision(device):
            return ""
        return explanation(self.signature, device_class(device).known)

    @property
    def steps(self) -> list[Step]:
        """The trace, event by event; empty if the input could not be judged."""
        if self.outcome.run.execution is None:
            return []
        trace = self.execution.trace
        met = zip(self.scenario.schedule, trace.places, strict=False)
        return steps_of(trace.events, self.violation, [held_at(*pair) for pair in met])

    @property
    def command(self) -> str:
        """The shell command that replays the case."""
        return replay_command(self.outcome)


def in_order(cases: Iterable[Case]) -> list[Case]:
    """Return cases in the order of their rules, and for each rule the most frequent first."""
    order = {rule.id: index for index, rule in enumerate(RULES)}

    def rank(case: Case) -> tuple[int, int, str]:
        rule, sightings = case.expected_rule, case.sightings
        place = order[rule.id] if rule else len(order)
        return place, -(sightings.count if sightings else 0), case.signature

    return sorted(cases, key=rank)


def replay_command(outcome: Outcome) -> str:
    """Return the shell command that gives this outcome again."""
    target, device, mode = outcome.setup
    words = ["vblkfuzz", "replay", outcome.input, "--device", device, "--mode", mode]
    if target != DEFAULT_TARGET:
        words += ["--target", target, *outcome.target_options.words]
    return shell_line(words)
