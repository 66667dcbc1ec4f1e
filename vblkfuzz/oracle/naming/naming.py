"""How a rule names its violations, and which violations may follow from them.

Each violation has this value, so that its name depends on nothing else. The decorator
`oracle.rule.rule` makes it; `signature` and `consequence` read it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PathPart = Literal["whole", "innermost", "none"]


@dataclass(frozen=True, slots=True)
class Naming:
    """The part of a rule that decides the signatures of its violations."""

    path: PathPart = "whole"
    """Part of the causal path that distinguishes causes. `innermost`: only the function that acted,
    whatever called it. `none`: the rule is about a number or a flag, and the function that comes
    across the wrong value does not matter."""
    handlers_alike: bool = False
    """All handlers make the same mistake: if the path has only handlers, it is left out."""
    polling_tells: bool = False
    """A handler that is polled is distinguished from the same handler when kicked."""
    attaching_alike: str = ""
    """State in which the functions that attach queues (start, end of a drain) count as one."""
    leads_to: frozenset[str] = frozenset()
    """Rules that may be broken later in the same trace as a consequence of the violation."""
    leads_to_in: tuple[tuple[str, frozenset[str]], ...] = ()
    """Further such rules, by the state of the violation."""
