"""The findings of an exploration: each bug once, saved in the same form as those of a campaign."""

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
    from vblkfuzz.explore.search import Visit
    from vblkfuzz.oracle.violation import Violation
    from vblkfuzz.store.finding import Saved
    from vblkfuzz.targets.target import Target


@dataclass(frozen=True, slots=True)
class Found:
    """A bug as first found, therefore with the fewest deviations."""

    violation: Violation
    deviations: int
    known: str
    """The known bug that explains it, if the device lists one; else empty."""
    saved: Saved


@dataclass(slots=True)
class Explored:
    """The results so far."""

    target: Target
    folder: Path
    """Folder to save findings in."""
    listed: Mapping[str, str]
    """The bugs that the device lists as known, see `oracle.naming.known`."""
    schedules: int = 0
    """Number of schedules run."""
    complete: bool = False
    """Whether all schedules within the bound were run."""
    findings: dict[str, Found] = field(default_factory=dict)
    """By signature, in the order in which they were found."""

    def add(self, visit: Visit) -> list[Found]:
        """Count a schedule; save and return the bugs that no schedule before it showed.

        Raises:
            OSError: a finding could not be saved, not even in a temporary folder.
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
