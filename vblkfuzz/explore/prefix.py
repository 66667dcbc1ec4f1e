"""A schedule that others begin with, and the points at which they deviate once more."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from vblkfuzz.limits import MAX_POINT
from vblkfuzz.scenario.scenario import Deviation, Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from vblkfuzz.scenario.scenario import Go

Counts: TypeAlias = tuple[tuple[int, ...], ...]
"""For each operation, by the number of a `Role`: how many points there are to deviate at, from 0
on. The model counts those of all actors together (`Role.ANY`), a gate those of each thread."""


class Prefix(NamedTuple):
    """What the schedules begin with that have one deviation more."""

    schedule: tuple[Deviation, ...]
    counts: Counts
    """Points under this schedule."""

    def next(
        self, goes: Mapping[Role, tuple[Go, ...]], ops: Iterable[int], *, locks: bool = False
    ) -> Iterator[tuple[Deviation, ...]]:
        """Yield the schedules with one deviation more, after the last one.

        Args:
            goes: what can go on instead of each role.
            ops: operations to deviate in, in this order.
            locks: whether the points are those among which locks count.
        """
        last = self.schedule[-1].where if self.schedule else None
        for op, point, role in self._points(ops):
            if last is None or (op, point, role, locks) > last:
                for go in goes[role]:
                    yield (*self.schedule, Deviation(op, point, go, role=role, locks=locks))

    def _points(self, ops: Iterable[int]) -> Iterator[tuple[int, int, Role]]:
        for op in ops:
            counts = self.counts[op] if op < len(self.counts) else ()
            for point in range(min(max(counts, default=0), MAX_POINT)):
                for role, count in enumerate(counts):
                    if point < count:
                        yield op, point, Role(role)
