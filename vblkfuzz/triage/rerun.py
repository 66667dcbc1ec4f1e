"""Re-runs: how often an input shows its bug, with its schedule and without.

The difference says what the bug needs: if it shows as often without the schedule, the order of
threads does not matter, or the target does not follow schedules. An input that was saved for no bug
stands for any violation. One that expects no violation, or shows none, has no rate.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vblkfuzz.store.confidence import Confidence, confidence_in, keep_confidence
from vblkfuzz.store.finding_files import ARTIFACT, file_of_finding, has
from vblkfuzz.store.rate import Rate
from vblkfuzz.triage.outcome import replay_input

if TYPE_CHECKING:
    from vblkfuzz.scenario.artifact import Artifact
    from vblkfuzz.targets.target import Target
    from vblkfuzz.triage.outcome import Outcome

RERUNS: Final = 5
"""Runs that measure how often a new finding shows its bug; as many without its schedule."""


def rerun(target: Target, artifact: Artifact) -> Confidence | None:
    """Run the input of a finding once with its schedule, and once without if it has one."""
    return measured(replay_input("", artifact, target, 1), target).confidence


def measured(outcome: Outcome, target: Target) -> Outcome:
    """Return an outcome with the confidence of its runs and of as many without the schedule.

    Args:
        outcome: of the input, with its schedule.
        target: the started target that gave it.
    """
    if not _stands_for_a_bug(outcome):
        return outcome
    rate = _rate(outcome)
    bare = bare_of(outcome.artifact)
    without = None
    if bare is not None:
        without = _rate(replay_input(outcome.input, bare, target, outcome.runs))
    found = Confidence(outcome.setup.target, rate, without, outcome.versions)
    return replace(outcome, confidence=found)


def bare_of(artifact: Artifact) -> Artifact | None:
    """Return an artifact with an empty schedule; None: its schedule is empty."""
    if not artifact.scenario.schedule:
        return None
    return replace(artifact, scenario=replace(artifact.scenario, schedule=()))


def keep(outcome: Outcome) -> None:
    """Keep the confidence of an outcome beside the finding that its input stands for, if it does.

    Only on the target, device and version of it that the finding was made on, and with its IOThread
    or without: that of another one is no fact about the finding.

    Raises:
        OSError: it cannot be written.
    """
    file = Path(outcome.input)
    as_found = _as_found(outcome) and not outcome.other_versions
    if outcome.confidence is not None and as_found and _is_finding(file):
        keep_confidence(file.parent, outcome.confidence)


def kept_for(outcome: Outcome) -> Confidence | None:
    """Return what is kept beside the finding that an input stands for; None: nothing.

    Left out is what was measured on another target, device or version than that of this outcome.
    """
    kept, now = kept_beside(Path(outcome.input)), outcome.versions
    if kept is None or not _as_found(outcome):
        return None
    if any(now.get(name, of) != of for name, of in kept.versions.items()):
        return None
    return kept


def kept_beside(file: Path) -> Confidence | None:
    """Return what is kept for an input; None: nothing, or it does not stand for a finding."""
    return confidence_in(file.parent) if _is_finding(file) else None


def _as_found(outcome: Outcome) -> bool:
    """Whether it ran on the target and device of its input, and an option changed no IOThread."""
    iothread = outcome.target_options.iothread
    has_one = outcome.artifact.scenario.device.iothreads > 0
    return outcome.as_recorded and iothread in (None, has_one)


def _is_finding(file: Path) -> bool:
    """Whether a file is the one that stands for a finding."""
    return has(file.parent, ARTIFACT) and file == file_of_finding(file.parent)


def _stands_for_a_bug(outcome: Outcome) -> bool:
    expected = outcome.artifact.expectation
    if expected is None:
        return outcome.reproduced > 0
    return expected.verdict == "violation"


def _rate(outcome: Outcome) -> Rate:
    errors = outcome.harness_errors
    return Rate(outcome.reproduced, outcome.runs - errors, errors)
