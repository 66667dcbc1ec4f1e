"""Which events of different threads followed one another: coverage of the schedule.

Two orders of the same events differ in such pairs, whatever else happens; Maple (Yu et al., OOPSLA
2012) tests programs by their interleavings of few events in this way.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.gate.line import Line
    from vblkfuzz.scenario.scenario import Role


class Neighbours:
    """Of one scenario."""

    def __init__(self) -> None:
        self._last: tuple[Role, Line] | None = None
        self._found: dict[int, None] = {}

    @property
    def found(self) -> Sequence[int]:
        """A number of each pair, 32 bits, in the order in which they were first met."""
        return tuple(self._found)

    def add(self, role: Role, line: Line) -> None:
        """Note an event."""
        now = role, line
        if self._last is not None and self._last[0] is not role:
            self._found[_number(self._last, now)] = None
        self._last = now


@lru_cache(maxsize=1 << 14)
def _number(first: tuple[Role, Line], second: tuple[Role, Line]) -> int:
    words = [f"{role:d} {line.event} {line.site}" for role, line in (first, second)]
    return crc32("\n".join(words).encode())
