"""A verdict: the violations in one trace, and the situations that it reached.

`oracle.judge` makes it.
"""

from __future__ import annotations

from dataclasses import dataclass

from vblkfuzz.oracle.naming.consequence import causes
from vblkfuzz.oracle.violation import Violation


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of all rules for one trace."""

    violations: tuple[Violation, ...] = ()
    """In trace order of the clashing event, then by rule; each signature at most once."""
    situations: frozenset[str] = frozenset()
    """Names of the situations (`oracle.rule.Situation`) that the trace reached."""

    @property
    def causes(self) -> tuple[Violation, ...]:
        """The violations that are not consequences of another one."""
        return causes(self.violations)

    @property
    def clean(self) -> bool:
        """Whether no rule was violated."""
        return not self.violations
