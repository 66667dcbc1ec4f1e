"""Search on a real device behind a gate: its threads are interrupted at their own points.

The plain scenario shows which threads pass how many points in which operation. Then follow, the
cheap and the likely first:

1. a deviation at each light point;
2. a deviation at each point, locks included. How many there are in an operation is found by
   halving: a deviation beyond the last point meets none;
3. two light deviations in one operation, then in two operations that follow one another (those in
   which no thread passes points do not count); then three, up to the bound.

Operations in which two threads are busy come first. A schedule with a deviation that was not met is
not extended. A device is not as exact as the model: how many points pass depends a little on the
clock, so a search that ends without a finding has tried these orders, and proves nothing.
"""

from __future__ import annotations

from itertools import repeat, zip_longest
from typing import TYPE_CHECKING, Final

from vblkfuzz.counted import counted
from vblkfuzz.explore.prefix import Prefix
from vblkfuzz.explore.search import Level, level_of
from vblkfuzz.limits import MAX_POINT
from vblkfuzz.scenario.scenario import Deviation, Go, Role
from vblkfuzz.trace.kinds import END

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from vblkfuzz.explore.prefix import Counts
    from vblkfuzz.trace.trace import Trace

PLAIN_RUNS: Final = 3
"""Runs of the plain scenario: a process passes more points when it is new."""
_MET: Final = ((),)
"""All deviations were met."""
_PROBES: Final = 1 + MAX_POINT.bit_length()
"""The most deviations that it takes to count the points of a thread in an operation."""
_NAMED: Final = {Go.MAIN: Role.MAIN, Go.IO0: Role.IO0, Go.IO1: Role.IO1}
"""Threads that can be named to go on first."""


class AtGate:
    """Schedules of at most `most` deviations, in the operations `ops`; empty: in all."""

    def __init__(self, most: int, ops: Sequence[int] = ()) -> None:
        self._most = most
        self._only = frozenset(ops)
        self._plain: Counts = ()
        """The most points that the plain scenario has passed."""
        self._locks: list[list[int]] = []
        """Points of each thread in each operation, locks included."""
        self._prefixes: list[Prefix] = []
        """Schedules of the last level of light points, each to be extended."""
        self._met = False
        """Whether all deviations of the last schedule were met."""

    def levels(self) -> Iterator[Level]:
        """Yield the levels in the order of the module's docstring."""
        yield Level("plain", PLAIN_RUNS, repeat((), PLAIN_RUNS))
        if self._most:
            yield from self._one_deviation()
        for number in range(2, self._most + 1):
            prefixes, self._prefixes = self._prefixes, []
            for apart, where in enumerate(("same op", "next op")):
                extended = [(prefix, self._after(prefix, apart)) for prefix in prefixes]
                name = f"{counted(number, 'deviation')}, {where}"
                yield level_of(name, extended, goes_of(self._plain))

    def _one_deviation(self) -> Iterator[Level]:
        ops, goes = self._ops(), goes_of(self._plain)
        yield level_of("1 deviation", [(Prefix((), self._plain), ops)], goes)
        pairs = [(op, role) for op in ops for role in goes]
        self._locks = [[0] * len(Role) for _ in self._plain]
        yield Level("counting locks", len(pairs) * _PROBES, self._probes(pairs, goes))
        locks = Prefix((), tuple(map(tuple, self._locks)))
        yield level_of("1 deviation at a lock", [(locks, ops)], goes, locks=True)

    def _ops(self) -> list[int]:
        """Return the operations to deviate in, those in which two threads are busy first."""
        ops = self._chosen(range(len(self._plain)))
        return sorted(ops, key=lambda op: sorted(self._plain[op], reverse=True)[1:2], reverse=True)

    def _chosen(self, ops: Iterable[int]) -> list[int]:
        return [op for op in ops if not self._only or op in self._only]

    def _after(self, prefix: Prefix, apart: int) -> list[int]:
        """Return the operation of the last deviation, or those up to the next busy one."""
        op = prefix.schedule[-1].op
        if not apart:
            return [op]
        later = range(op + 1, len(self._plain))
        busy = next((each for each in later if any(self._plain[each])), op)
        return self._chosen(range(op + 1, busy + 1))

    def _probes(
        self, pairs: Sequence[tuple[int, Role]], goes: Mapping[Role, tuple[Go, ...]]
    ) -> Iterator[tuple[Deviation, ...]]:
        """Yield deviations at locks until it is known how many points each thread passes."""
        for op, role in pairs:
            low, high, point = 0, MAX_POINT, 0
            while low < high:
                yield (Deviation(op, point, goes[role][0], role=role, locks=True),)
                if self._met:
                    low = point + 1
                else:
                    high = point
                point = (low + high) // 2
            self._locks[op][role] = low

    def counts(self, schedule: tuple[Deviation, ...], trace: Trace) -> Counts:
        """Return the light points of each thread, if all deviations were met.

        Of a schedule that is not extended only that it was met is of interest. One that ends the
        process is not: each that begins as it does would end it again.
        """
        if None in trace.places:
            return ()
        if not schedule:
            return trace.stops
        if not self._is_extended(schedule):
            return _MET
        return trace.stops if trace.events[-1].kind == END else ()

    def _is_extended(self, schedule: tuple[Deviation, ...]) -> bool:
        locks = any(deviation.locks for deviation in schedule)
        return 0 < len(schedule) < self._most and not locks

    def learn(self, schedule: tuple[Deviation, ...], counts: Counts) -> None:
        """Extend a schedule at these points."""
        self._met = bool(counts)
        if not schedule:
            self._plain = _highest(self._plain, counts)
        elif counts and self._is_extended(schedule):
            self._prefixes.append(Prefix(schedule, counts))


def goes_of(counts: Counts) -> dict[Role, tuple[Go, ...]]:
    """Return what can go on instead of each thread that passes points: the others, and `NEXT`."""
    busy = [role for role in Role if any(op[role] for op in counts if op)]
    named = [go for go, role in _NAMED.items() if role in busy]
    return {role: (*(go for go in named if _NAMED[go] is not role), Go.NEXT) for role in busy}


def _highest(one: Counts, two: Counts) -> Counts:
    """Return the higher count of each thread in each operation."""
    return tuple(
        tuple(map(max, zip_longest(a, b, fillvalue=0)))
        for a, b in zip_longest(one, two, fillvalue=())
    )
