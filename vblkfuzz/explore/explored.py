"""The results of an exploration: each bug once, saved in the same form as those of a campaign."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.errors import HarnessError
from vblkfuzz.oracle.naming.known import explanation
from vblkfuzz.scenario.codec import encode
from vblkfuzz.store.confidence import keep_confidence
from vblkfuzz.store.finding import save_finding
from vblkfuzz.store.finding_artifact import finding_artifact
from vblkfuzz.targets.registry import MODEL
from vblkfuzz.trace.placed import placed
from vblkfuzz.triage.outcome import replay_input
from vblkfuzz.triage.rerun import RERUNS, measured
from vblkfuzz.triage.schedule_words import deviation_words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vblkfuzz.executor import Execution
    from vblkfuzz.explore.prefix import Counts
    from vblkfuzz.explore.search import Visit
    from vblkfuzz.oracle.violation import Violation
    from vblkfuzz.scenario.scenario import Deviation
    from vblkfuzz.store.confidence import Confidence
    from vblkfuzz.targets.target import Target
    from vblkfuzz.triage.outcome import Outcome

_RIVALS: Final = 30
"""Most schedules of one bug that are tried."""
_IN_A_ROW: Final = 20
"""Schedules in a row that cannot be judged, after which the next ones are not tried."""


class Found(NamedTuple):
    """A bug as first found, therefore with the fewest deviations.

    On a real device, it is the first schedule that shows it again each time, or most often.
    """

    signature: str
    rule: str
    sentence: str
    where: tuple[str, ...]
    """Its deviations, each as text."""
    known: str
    """The known bug that explains it, if the device lists one; else empty."""
    path: str
    """Where it was saved."""
    fallback: str = ""
    """Why it is not in the output folder; empty if it is."""
    confidence: Confidence | None = None
    """How often it was shown in `RERUNS` further runs; None: there were none."""
    tried: int = 1
    """Number of schedules that have been tried."""

    @property
    def shown(self) -> int:
        """How many of the runs again showed it."""
        return 0 if self.confidence is None else self.confidence.rate.seen

    @property
    def has_rivals(self) -> bool:
        """Whether another schedule may show it more often."""
        return self.confidence is not None and self.shown < RERUNS and self.tried < _RIVALS

    def is_rarer(self, again: Outcome) -> bool:
        """Whether another schedule, which was run again, showed it more often."""
        return self.confidence is not None and self.shown < again.reproduced


class Unjudged(NamedTuple):
    """A schedule without a verdict."""

    where: tuple[str, ...]
    """Its deviations, each as text."""
    error: str


@dataclass(slots=True)
class Explored:
    """The results so far."""

    target: Target
    folder: Path
    """Folder to save findings in."""
    listed: Mapping[str, str]
    """The bugs that the device lists as known, see `oracle.naming.known`."""
    learnt: list[Counts] = field(default_factory=list)
    """What the search has learnt from each schedule."""
    repeats: bool = False
    """Whether schedules that show a bug are run again: the target is a real device."""
    stopped: Callable[[], bool] = lambda: False
    """Whether the exploration was told to end: then the signal may have ended what serves the
    device, too, so a schedule without a verdict has not run."""
    complete: bool = False
    """Whether all schedules within the bound were run."""
    findings: dict[str, Found] = field(default_factory=dict)
    """By signature, in the order in which they were found."""
    unjudged: list[Unjudged] = field(default_factory=list)
    _in_a_row: int = 0

    @property
    def schedules(self) -> int:
        """Number of schedules run."""
        return len(self.learnt)

    def add(self, visit: Visit) -> list[Found]:
        """Count a schedule; save and return the bugs that none before showed, or less often.

        Raises:
            OSError: a finding could not be saved, not even in a temporary folder, or its rate not.
        """
        self._in_a_row = 0
        self.learnt.append(visit.learnt)
        execution = visit.execution
        taken = (self._take(execution, one) for one in execution.verdict.causes)
        found = [one for one in taken if one is not None]
        for one in found:
            if one.confidence is not None:
                keep_confidence(Path(one.path), one.confidence)
        return found

    def _take(self, execution: Execution, violation: Violation) -> Found | None:
        """Save a bug that is new, or that was shown less often before."""
        before = self.findings.get(violation.signature)
        if before is None:
            return self._save(execution, violation, self._again(execution, violation))
        if not (before.has_rivals and execution.scenario.schedule):
            return None
        again = self._again(execution, violation, 1 + before.shown)
        self.findings[before.signature] = before._replace(tried=before.tried + 1)
        if again is None or not before.is_rarer(again):
            return None
        aside = Path(f"{before.path}~")  # until the new one is there: nothing is lost if it fails
        Path(before.path).rename(aside)
        found = self._save(execution, violation, again, before.tried + 1)
        shutil.rmtree(aside)
        return found

    def _again(self, execution: Execution, violation: Violation, least: int = 0) -> Outcome | None:
        """Run a schedule that has shown a bug again; None: on this target, that says nothing.

        The runs end as soon as `least` that show it are out of reach: each hang costs a process.
        """
        if not (self.repeats and execution.scenario.schedule):
            return None
        artifact = finding_artifact(self.target, execution, violation)
        return replay_input("", artifact, self.target, RERUNS, least)

    def fail(self, schedule: tuple[Deviation, ...], error: HarnessError) -> None:
        """Count a schedule that could not be judged.

        Raises:
            HarnessError: none of the last ones could, or the exploration was told to end.
        """
        if self.stopped():
            raise error
        self.learnt.append(())
        self.unjudged.append(Unjudged(self._words(schedule), error.sentence))
        self._in_a_row += 1
        if not schedule or self._in_a_row >= _IN_A_ROW:
            raise error

    def _save(
        self, execution: Execution, violation: Violation, again: Outcome | None, tried: int = 1
    ) -> Found:
        known = explanation(violation.signature, self.listed)
        met = placed(execution.scenario, execution.trace)
        data = encode(met)
        saved = save_finding(self.folder, self.target, execution, violation, data, known)
        found = Found(
            violation.signature,
            violation.rule,
            violation.sentence,
            self._words(met.schedule),
            known,
            str(saved.path),
            saved.fallback,
            # One of before stays as it is.
            measured(again, self.target).confidence if again and saved.new else None,
            tried,
        )
        self.findings[violation.signature] = found
        return found

    def _words(self, schedule: tuple[Deviation, ...]) -> tuple[str, ...]:
        held = self.target.name != MODEL
        return tuple(deviation_words(one, held=held) for one in schedule)
