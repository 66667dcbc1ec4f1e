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

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from vblkfuzz.executor import Execution, run_scenario
from vblkfuzz.limits import MAX_POINT
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.scenario import Deviation, Go, Scenario

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vblkfuzz.targets.target import Target


class Visit(NamedTuple):
    """One schedule that was run."""

    execution: Execution
    number: int
    """Its number among the schedules with the same number of deviations, from 1."""
    of: int
    """The number of these schedules."""

    @property
    def deviations(self) -> int:
        """Number of deviations of its schedule."""
        return len(self.execution.scenario.schedule)


class _Base(NamedTuple):
    """A schedule to extend by one deviation."""

    schedule: tuple[Deviation, ...]
    points: tuple[int, ...]
    """Preemption points that each operation passes under this schedule."""

    def places(self) -> Iterator[tuple[int, int]]:
        """Yield operation and point of each place after the last deviation."""
        last_op, last_point = 0, -1
        if self.schedule:
            last_op, last_point = self.schedule[-1].op, self.schedule[-1].point
        for op in range(last_op, len(self.points)):
            first = last_point + 1 if op == last_op else 0
            for point in range(first, min(self.points[op] + 1, MAX_POINT)):
                yield op, point

    def next(self, goes: tuple[Go, ...]) -> Iterator[tuple[Deviation, ...]]:
        """Yield the schedules with one more deviation."""
        for place in self.places():
            for go in goes:
                yield (*self.schedule, Deviation(*place, go))


def explore(target: Target, scenario: Scenario, most: int) -> Iterator[Visit]:
    """Run a scenario's operations under every schedule of at most `most` deviations.

    The search is lazy: it runs one schedule per item taken.

    Args:
        target: a started target that fills in `Trace.points`: the model, inline.
        scenario: device configuration and operations; its own schedule is ignored.
        most: largest number of deviations, at most `MAX_DEVIATIONS`.

    Raises:
        HarnessError: a schedule could not be judged.
    """
    plain = replace(scenario, schedule=())
    first = run_scenario(target, plain)
    yield Visit(first, 1, 1)
    goes = _goes(scenario.device)
    bases = [_Base((), first.trace.points)]
    for _ in range(most):
        of = len(goes) * sum(1 for base in bases for _ in base.places())
        schedules = chain.from_iterable(base.next(goes) for base in bases)
        bases = []
        for number, schedule in enumerate(schedules, 1):
            execution = run_scenario(target, replace(plain, schedule=schedule))
            yield Visit(execution, number, of)
            trace = execution.trace
            if len(trace.obeyed) == len(schedule) and trace.obeyed[-1]:
                bases.append(_Base(schedule, trace.points))


def _goes(device: DeviceConfig) -> tuple[Go, ...]:
    """Return the values of `Go` that this device has an actor for."""
    iothreads = (Go.IO0, Go.IO1)[: device.iothreads]
    return Go.NEXT, Go.GUEST, Go.VCPU, Go.MAIN, *iothreads
