"""Exhaustive search in small bounds: run a scenario under every schedule of a few deviations.

Most ordering bugs need only one or two switches at the wrong moment, so schedules are tried by
their number of deviations, fewest first (iterative context bounding: Musuvathi and Qadeer, PLDI
2007). A schedule whose last deviation was not reached or not *obeyed* (`Trace.obeyed`) repeats
another schedule, so no deviation is added to it. Every order of threads within the bound is run. If
no rule is broken, none of these orders breaks one, with these operations on this device.

The search is limited to switches that a schedule can express: it delays no stores, and leaves out
points of an operation from `MAX_POINT` on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.counted import counted
from vblkfuzz.explore.prefix import Prefix
from vblkfuzz.explore.search import Level, level_of, visits
from vblkfuzz.scenario.scenario import Go, Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vblkfuzz.explore.prefix import Counts
    from vblkfuzz.explore.search import Visit
    from vblkfuzz.scenario.device import DeviceConfig
    from vblkfuzz.scenario.scenario import Deviation, Scenario
    from vblkfuzz.targets.target import Target
    from vblkfuzz.trace.trace import Trace


def explore(
    target: Target, scenario: Scenario, most: int, ops: Sequence[int] = ()
) -> Iterator[Visit]:
    """Run a scenario's operations under every schedule of at most `most` deviations.

    The search is lazy: it runs one schedule per item taken.

    Args:
        target: a started target that fills in `Trace.points`: the model, inline.
        scenario: device configuration and operations; its own schedule is ignored.
        most: largest number of deviations, at most `MAX_DEVIATIONS`.
        ops: numbers of the operations to deviate in; empty: all.

    Raises:
        HarnessError: a schedule could not be judged.
    """
    return visits(target, scenario, EveryPoint(scenario.device, most, ops))


class EveryPoint:
    """Every schedule within a bound, on a target that counts the points of all actors together."""

    def __init__(self, device: DeviceConfig, most: int, ops: Sequence[int] = ()) -> None:
        self._goes = {Role.ANY: _goes(device)}
        self._only = frozenset(ops)
        self._most = most
        self._prefixes: list[Prefix] = []
        """Schedules of the last level, each to be extended by one deviation."""

    def levels(self) -> Iterator[Level]:
        """Yield a level for each number of deviations."""
        yield Level(counted(0, "deviation"), 1, iter([()]))
        for number in range(1, self._most + 1):
            prefixes, self._prefixes = self._prefixes, []
            extended = [(prefix, self._from(prefix)) for prefix in prefixes]
            yield level_of(counted(number, "deviation"), extended, self._goes)

    def _from(self, prefix: Prefix) -> list[int]:
        """Return the operations from that of the last deviation on."""
        first = prefix.schedule[-1].op if prefix.schedule else 0
        return [op for op in range(first, len(prefix.counts)) if op in (self._only or [op])]

    def counts(self, schedule: tuple[Deviation, ...], trace: Trace) -> Counts:
        """Return the points of each operation, its end included."""
        if schedule and not (len(trace.obeyed) == len(schedule) and trace.obeyed[-1]):
            return ()
        return tuple((passed + 1,) for passed in trace.points)

    def learn(self, schedule: tuple[Deviation, ...], counts: Counts) -> None:
        """Extend the schedule at these points."""
        if counts:
            self._prefixes.append(Prefix(schedule, counts))


def _goes(device: DeviceConfig) -> tuple[Go, ...]:
    """Return the values of `Go` that this device has an actor for."""
    iothreads = (Go.IO0, Go.IO1)[: device.iothreads]
    return Go.NEXT, Go.GUEST, Go.VCPU, Go.MAIN, *iothreads
