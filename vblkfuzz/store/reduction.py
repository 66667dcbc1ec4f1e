"""A reduction: what minimizing made of a finding, and how far the search got.

It is kept as ``minimized.json`` beside the input (`minimize.beside`).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from vblkfuzz.counted import counted


@dataclass(frozen=True, slots=True)
class Reduction:
    """The size of an input before and after it was minimized."""

    ops_before: int
    deviations_before: int
    ops: int
    deviations: int
    tried: int
    """Candidates run, over all searches."""
    complete: bool
    """Whether the result is a fixed point; False: the search was stopped before."""

    def __str__(self) -> str:
        """Return it in words."""
        after = f"{self.ops} + {self.deviations}"
        if (self.ops, self.deviations) == (self.ops_before, self.deviations_before):
            after = "no fewer"
        ops, deviations = counted(self.ops_before, "operation"), self.deviations_before
        words = f"{ops} + {counted(deviations, 'deviation')} became {after} in "
        tries = "1 try" if self.tried == 1 else f"{self.tried} tries"
        return words + tries + ("" if self.complete else ", not finished")

    def to_json(self) -> str:
        """Return the contents of ``minimized.json``."""
        return json.dumps(asdict(self), indent=2) + "\n"

    @staticmethod
    def from_json(text: str) -> Reduction | None:
        """Return the reduction in the output of `to_json`; None: it is damaged."""
        try:
            values: dict[str, Any] = json.loads(text)
            found = Reduction(**values)
        except (ValueError, TypeError):
            return None
        right = all(isinstance(value, int) for value in asdict(found).values())
        return found if right else None
