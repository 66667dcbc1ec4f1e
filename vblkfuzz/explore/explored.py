"""What an exploration has found: each bug once, saved as a campaign saves its findings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vblkfuzz.oracle.naming.known import explanation
from vblkfuzz.scenario.codec import encode
from vblkfuzz.store.finding import save_finding

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from vblkfuzz.executor import Execution
    from vblkfuzz.explore.deviations import Visit
    from vblkfuzz.oracle.violation import Violation
    from vblkfuzz.store.finding import Saved
    from vblkfuzz.targets.target import Target


@dataclass(frozen=True, slots=True)
class Found:
    """A bug as it was met first, so with the fewest deviations."""

    violation: Violation
    deviations: int
    known: str
    """The bug that explains it, if the device lists one."""
    saved: Saved


@dataclass(slots=True)
class Explored:
    """What came out so far."""

    target: Target
    folder: Path
    """Where findings are saved."""
    listed: Mapping[str, str]
    """What the device lists as known, see `oracle.naming.known`."""
    schedules: int = 0
    """Schedules that were run."""
    complete: bool = False
    """Whether these are all within the bound."""
    findings: dict[str, Found] = field(default_factory=dict)
    """By signature, in the order in which they were met."""

    def add(self, visit: Visit) -> list[Found]:
        """Count a schedule; save and return the bugs that it is the first to show.

        Raises:
            OSError: a finding could be saved nowhere.
        """
        self.schedules += 1
        execution = visit.execution
        new = [one for one in execution.verdict.causes if one.signature not in self.findings]
        return [self._save(execution, one) for one in new]

    def _save(self, execution: Execution, violation: Violation) -> Found:
        known = explanation(violation.signature, self.listed)
        data = encode(execution.scenario)
        saved = save_finding(self.folder, self.target, execution, violation, data, known)
        found = Found(violation, len(execution.scenario.schedule), known, saved)
        self.findings[violation.signature] = found
        return found
