"""How many executions had each feature, as far as 0, 1, 2, and 3 or more differ.

More is not needed to estimate what is still unseen (`store.unseen`). The features of an execution
are the bits of an integer (`Region.features`), so noting one is five operations on 8 KiB, about
3 us. Counts that stop at 3 add up over workers as if one worker had run all executions.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Incidence:
    """Sets of features, as the bits of integers; each set is a part of the one before."""

    executions: int = 0
    once: int = 0
    """Features that at least one execution had."""
    twice: int = 0
    """Those that at least two had."""
    thrice: int = 0
    """Those that at least three had."""

    def note(self, features: int) -> None:
        """Note the features of one execution."""
        self.executions += 1
        self.thrice |= self.twice & features
        self.twice |= self.once & features
        self.once |= features

    def add(self, other: Incidence) -> None:
        """Note the executions of another worker or campaign, of which none is in here yet."""
        self.thrice |= other.thrice | (self.twice & other.once) | (self.once & other.twice)
        self.twice |= other.twice | (self.once & other.once)
        self.once |= other.once
        self.executions += other.executions
