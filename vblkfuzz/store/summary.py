"""The state of a campaign, and the object that ``fuzz --json`` ends with."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Final, NamedTuple

from vblkfuzz.store.confidence import Confidence
from vblkfuzz.store.reach import NOTHING, Reach
from vblkfuzz.store.reduction import Reduction
from vblkfuzz.store.shadow import shadow


@dataclass(frozen=True, slots=True)
class Finding:
    """One signature found by a campaign."""

    signature: str
    rule: str
    first_exec: int
    """Executions of all workers until it was first seen."""
    first_s: float
    """Seconds until then."""
    path: str
    sentence: str = ""
    known: str = ""
    """The known bug that explains it, if the device lists one; else empty."""


class Earlier(NamedTuple):
    """What earlier campaigns did in the output folder, together."""

    campaigns: int = 0
    execs: int = 0
    seconds: float = 0.0


NONE_EARLIER: Final = Earlier()


@dataclass(slots=True)
class Summary:
    """The state of a campaign."""

    execs: int = 0
    violations: int = 0
    """Executions with a violation, known ones included."""
    harness_errors: int = 0
    hangs: int = 0
    """Harness errors that were executions that did not end in time."""
    ended_worker: int = 0
    """Executions that ended their worker, by a crash or because it was stuck: without a verdict."""
    features: int = 0
    reach: Reach = NOTHING
    """What was reached of the device's own code."""
    steps: int = 0
    seconds: float = 0
    start_up_s: float | None = None
    """Seconds until the first execution had ended; None: there was none."""
    execs_per_s_now: float = 0
    """Executions per second in the last seconds, of all workers together."""
    last_feature_s: float | None = None
    """Seconds until the last new feature; None: there was none."""
    last_finding_s: float | None = None
    """Seconds until the last new finding; None: there was none."""
    corpus: int = 0
    """Inputs in the corpus, at the moment in which `features` were counted."""
    alive: int = 0
    """Workers that run."""
    waiting: int = 0
    """Workers that have ended and wait for another start."""
    dropped: int = 0
    """What came through the pipe of a worker and was no message."""
    findings: dict[str, Finding] = field(default_factory=dict)
    """New ones, by signature."""
    again: dict[str, Finding] = field(default_factory=dict)
    """Those that were in the output folder before, and were seen again."""
    earlier: Earlier = NONE_EARLIER
    """What the campaigns before it did in the output folder."""
    saved_before: int = 0
    """Findings that were in the output folder when the campaign began."""
    saved: int = 0
    """Findings in the output folder, those of earlier campaigns included."""
    seen: dict[str, int] = field(default_factory=dict)
    """Executions per signature."""
    silenced: dict[str, int] = field(default_factory=dict)
    """Executions per signature that matches the user's file of known ones (`known_file`)."""
    situations: dict[str, bool] = field(default_factory=dict)
    """Whether each situation of each rule was met."""
    restarts: int = 0
    fallbacks: list[str] = field(default_factory=list)
    """Reasons why findings, inputs or rows are not in the output folder."""
    last_error: str = ""
    minimized: dict[str, Reduction] = field(default_factory=dict)
    """What became of the findings that were minimized, by signature."""
    not_minimized: dict[str, str] = field(default_factory=dict)
    """By signature of a finding: why it could not be minimized; empty: there was no time."""
    confidence: dict[str, Confidence] = field(default_factory=dict)
    """How often findings were shown again, by signature: those of which it was measured."""
    minimizing: tuple[int, int] | None = None
    """After the last execution: the finding that is minimized, and of how many."""
    unsteady: str = ""
    """Says so, if an input of the model gave two different traces."""
    always_fails: str = ""
    """Says so, if the device fails before it does anything."""

    @property
    def execs_per_s(self) -> float:
        """Executions per second of all workers together."""
        return self.execs / self.seconds if self.seconds else 0.0

    @property
    def missed(self) -> list[str]:
        """Situations that were not met; in these the rules were not tested."""
        return [name for name, met in self.situations.items() if not met]

    @property
    def shadow(self) -> str:
        """What is said of a crash that hides other bugs; empty if there is none."""
        return shadow(self.seen, self.execs)

    def to_json(self) -> dict[str, Any]:
        """Return the last object of ``fuzz --json``."""
        return {
            **self.figures(),
            "findings": [self._finding(finding) for finding in self.findings.values()],
            "seen_again": {name: self.seen.get(name, 0) for name in self.again},
            "total": {
                "campaigns": self.earlier.campaigns + 1,
                "execs": self.earlier.execs + self.execs,
                "seconds": round(self.earlier.seconds + self.seconds, 2),
            },
            "known": dict(self.silenced),
            "shadow": self.shadow or None,
            "sometimes": dict(self.situations),
            "saved": self.saved,
        }

    def figures(self) -> dict[str, Any]:
        """Return the numbers, as in each line of progress of ``fuzz --json``."""
        return {
            "execs": self.execs,
            "execs_per_s": round(self.execs_per_s, 1),
            "execs_per_s_now": round(self.execs_per_s_now, 1),
            "seconds": round(self.seconds, 2),
            "start_up_s": _rounded(self.start_up_s),
            "features": self.features,
            "reached": self.reach.reached,
            "reachable": self.reach.reachable,
            "last_feature_s": _rounded(self.last_feature_s),
            "last_finding_s": _rounded(self.last_finding_s),
            "met": sum(self.situations.values()),
            "situations": len(self.situations),
            "corpus": self.corpus,
            "violations": self.violations,
            "harness_errors": self.harness_errors,
            "workers": self.alive,
            "waiting": self.waiting,
            "dropped": self.dropped,
            "restarts": self.restarts,
        }

    def _finding(self, finding: Finding) -> dict[str, Any]:
        reduction = self.minimized.get(finding.signature)
        confidence = self.confidence.get(finding.signature)
        return {
            **asdict(finding),
            "minimized": asdict(reduction) if reduction else None,
            "confidence": confidence.to_json() if confidence else None,
        }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 2)
