"""The drained sections that an operator has open: the operation that began each, outermost first.

An operation ends the innermost section that its counterpart began, if there is one. Of a device
with several logical units a section drains the disk of one: the first of those that have the fewest
sections. So one section leaves the others undrained, and the next one drains another unit.
"""

from __future__ import annotations

from typing import Final

from vblkfuzz.scenario.op import Op, op

_CLOSES: Final = {"drain_begin": op("drain_end"), "mirror_begin": op("mirror_finish")}


class OpenSections:
    """The open sections."""

    def __init__(self, units: int = 1) -> None:
        self._units = units
        self._began: list[str] = []
        self._drained: list[int] = []
        """The unit of each."""

    def __len__(self) -> int:
        return len(self._began)

    def __contains__(self, began: str) -> bool:
        """Whether one is open that the operation `began` has begun."""
        return began in self._began

    def begin(self, operation: Op) -> int:
        """Add a section; return the unit that it drains."""
        unit = min(range(self._units), key=self.of)
        self._began.append(operation.name)
        self._drained.append(unit)
        return unit

    def of(self, unit: int) -> int:
        """Return how many sections of a unit are open."""
        return self._drained.count(unit)

    def end(self, began: str) -> int | None:
        """Remove the innermost section that the operation `began` has begun; return its unit.

        None: there is no such section.
        """
        if began not in self._began:
            return None
        at = len(self._began) - 1 - self._began[::-1].index(began)
        del self._began[at]
        return self._drained.pop(at)

    def end_innermost(self) -> None:
        """Remove the innermost section, whatever has begun it."""
        self._began.pop()
        self._drained.pop()

    @property
    def innermost(self) -> str:
        """Name of the operation that has begun the innermost section; there is one."""
        return self._began[-1]

    def closing(self) -> Op | None:
        """Return the operation that ends the innermost section; None if none is open."""
        return _CLOSES[self._began[-1]] if self._began else None
