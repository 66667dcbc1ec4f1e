"""The results of an exploration: each bug once, saved in the same form as those of a campaign."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.oracle.naming.known import explanation
from vblkfuzz.scenario.codec import encode
from vblkfuzz.scenario.place import place_text
from vblkfuzz.scenario.scenario import Role
from vblkfuzz.store.finding import save_finding

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from vblkfuzz.errors import HarnessError
    from vblkfuzz.executor import Execution
    from vblkfuzz.explore.prefix import Counts
    from vblkfuzz.explore.search import Visit
    from vblkfuzz.oracle.violation import Violation
    from vblkfuzz.scenario.scenario import Deviation
    from vblkfuzz.targets.target import Target

_IN_A_ROW: Final = 20
"""Schedules in a row that cannot be judged, after which the next ones are not tried."""


class Found(NamedTuple):
    """A bug as first found, therefore with the fewest deviations."""

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
        """Count a schedule; save and return the bugs that no schedule before it showed.

        Raises:
            OSError: a finding could not be saved, not even in a temporary folder.
        """
        self._in_a_row = 0
        self.learnt.append(visit.learnt)
        execution = visit.execution
        new = [one for one in execution.verdict.causes if one.signature not in self.findings]
        return [self._save(execution, one) for one in new]

    def fail(self, schedule: tuple[Deviation, ...], error: HarnessError) -> None:
        """Count a schedule that could not be judged.

        Raises:
            HarnessError: none of the last ones could.
        """
        self.learnt.append(())
        self.unjudged.append(Unjudged(tuple(map(deviation_text, schedule)), error.sentence))
        self._in_a_row += 1
        if not schedule or self._in_a_row >= _IN_A_ROW:
            raise error

    def _save(self, execution: Execution, violation: Violation) -> Found:
        known = explanation(violation.signature, self.listed)
        data = encode(execution.scenario)
        saved = save_finding(self.folder, self.target, execution, violation, data, known)
        found = Found(
            violation.signature,
            violation.rule,
            violation.sentence,
            tuple(map(deviation_text, execution.scenario.schedule)),
            known,
            str(saved.path),
            saved.fallback,
        )
        self.findings[violation.signature] = found
        return found


def deviation_text(deviation: Deviation) -> str:
    """Return a deviation in one line.

    >>> from vblkfuzz.scenario.scenario import Deviation, Go, Place, Role
    >>> deviation_text(Deviation(5, 77, Go.IO0, role=Role.MAIN, locks=True))
    'op 5: main at point 77 (locks), io0 first'
    >>> deviation_text(Deviation(2, 7, Go.NEXT, role=Role.IO0, place=Place("blk_co_preadv")))
    'op 2: io0 at point 7 (blk_co_preadv), next first'
    """
    who = "" if deviation.role is Role.ANY else f"{deviation.role.name.lower()} "
    locks = " (locks)" if deviation.locks else ""
    where = f" ({place_text(deviation.place)})" if deviation.place else locks
    first = deviation.go.name.lower()
    return f"op {deviation.op}: {who}at point {deviation.point}{where}, {first} first"
