"""What a rule says about the names of its violations, and about what follows from them.

A value that each violation carries, so that its name depends on nothing else: `signature` and
`consequence` read it, the decorator `oracle.rule.rule` makes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PathPart = Literal["whole", "innermost", "none"]


@dataclass(frozen=True, slots=True)
class Naming:
    """Facts of a rule that make the signatures of its violations."""

    path: PathPart = "whole"
    """How much of the causal path tells causes apart: `innermost` only the function that did it,
    whoever called it; `none` where the rule is about a number or a flag, and whoever meets the
    wrong one does not matter."""
    handlers_alike: bool = False
    """The rule is about what every handler does alike: that it was one says nothing."""
    polling_tells: bool = False
    """A handler that is polled counts as another one than the same handler when kicked."""
    attaching_alike: str = ""
    """State in which whoever attaches the queues counts alike, by a start or the end of a drain."""
    leads_to: frozenset[str] = frozenset()
    """Rules that a violation of this one can break in turn, later in the same trace."""
    leads_to_in: tuple[tuple[str, frozenset[str]], ...] = ()
    """Further such rules, by the state of the violation."""
