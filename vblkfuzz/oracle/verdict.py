"""What the oracles say about one trace: violations, and the situations it reached.

Next: `oracle.judge`.
"""

from __future__ import annotations

from dataclasses import dataclass

from vblkfuzz.oracle.naming.consequence import causes
from vblkfuzz.oracle.violation import Violation


@dataclass(frozen=True, slots=True)
class Verdict:
    """What all rules said about one trace."""

    violations: tuple[Violation, ...] = ()
    """In trace order of the clashing event, then by rule; each signature at most once."""
    situations: frozenset[str] = frozenset()
    """Names of the situations (`oracle.rule.Situation`) that the trace reached."""

    @property
    def causes(self) -> tuple[Violation, ...]:
        """The violations that are bugs of their own: those that follow from no other one."""
        return causes(self.violations)

    @property
    def clean(self) -> bool:
        """Whether no rule was violated."""
        return not self.violations
