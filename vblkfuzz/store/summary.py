"""What a campaign has found so far, and the object that ``fuzz --json`` ends with."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """One signature of this campaign."""

    signature: str
    rule: str
    first_exec: int
    """Executions of all workers until it was first seen."""
    first_s: float
    """Seconds until then."""
    path: str
    sentence: str = ""
    known: str = ""
    """The bug that explains it, if the device lists one as known."""


@dataclass(slots=True)
class Summary:
    """The state of a campaign."""

    execs: int = 0
    violations: int = 0
    """Executions with a violation, known ones included."""
    harness_errors: int = 0
    hangs: int = 0
    """Of these, how many did not end in time."""
    features: int = 0
    steps: int = 0
    seconds: float = 0
    findings: dict[str, Finding] = field(default_factory=dict)
    silenced: dict[str, int] = field(default_factory=dict)
    """Executions with each signature that the user did not want to hear of."""
    situations: dict[str, bool] = field(default_factory=dict)
    """Each situation of each rule, and whether it was met."""
    restarts: int = 0
    fallbacks: list[str] = field(default_factory=list)
    """Why findings are not in the output folder."""
    last_error: str = ""
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
        """Situations that were not met: their rules have not been tested."""
        return [name for name, met in self.situations.items() if not met]

    def to_json(self) -> dict[str, Any]:
        """Return it as the last object of ``fuzz --json``."""
        return {
            "execs": self.execs,
            "execs_per_s": round(self.execs_per_s, 1),
            "seconds": round(self.seconds, 2),
            "findings": [asdict(finding) for finding in self.findings.values()],
            "known": dict(self.silenced),
            "features": self.features,
            "sometimes": dict(self.situations),
            "violations": self.violations,
            "harness_errors": self.harness_errors,
            "restarts": self.restarts,
        }
