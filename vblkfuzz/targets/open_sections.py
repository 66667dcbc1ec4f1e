"""The drained sections that an operator has open: the operation that began each, outermost first.

An operation ends the innermost section that its counterpart began, if there is one.
"""

from __future__ import annotations

from typing import Final

from vblkfuzz.scenario.op import Op, op

_CLOSES: Final = {"drain_begin": op("drain_end"), "mirror_begin": op("mirror_finish")}


class OpenSections:
    """The open sections."""

    def __init__(self) -> None:
        self._began: list[str] = []

    def __len__(self) -> int:
        return len(self._began)

    def __contains__(self, began: str) -> bool:
        """Whether one is open that the operation `began` has begun."""
        return began in self._began

    def begin(self, operation: Op) -> int:
        """Add a section; return how many are open now."""
        self._began.append(operation.name)
        return len(self._began)

    def end(self, began: str) -> bool:
        """Remove the innermost section that the operation `began` has begun; return whether any."""
        if began not in self._began:
            return False
        del self._began[len(self._began) - 1 - self._began[::-1].index(began)]
        return True

    def end_innermost(self) -> None:
        """Remove the innermost section, whatever has begun it."""
        self._began.pop()

    def closing(self) -> Op | None:
        """Return the operation that ends the innermost section; None if none is open."""
        return _CLOSES[self._began[-1]] if self._began else None
