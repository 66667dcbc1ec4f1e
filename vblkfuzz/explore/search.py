"""Runs the schedules of a search, one after another; the search learns from each.

A search is a sequence of levels; the schedules of one level have the same form. What a search
learns from a schedule are the points to deviate at after it (`Counts`). Nothing else decides about
the schedules that follow, so an interrupted search goes on from the list of what it has learnt.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, Protocol

from vblkfuzz.errors import DeviceUnavailable, HarnessError, ZygoteLost
from vblkfuzz.executor import Execution, run_scenario

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from vblkfuzz.explore.prefix import Counts, Prefix
    from vblkfuzz.scenario.scenario import Deviation, Go, Role, Scenario
    from vblkfuzz.targets.target import Target
    from vblkfuzz.trace.trace import Trace


class Level(NamedTuple):
    """Schedules of one form."""

    name: str
    of: int
    """The number of schedules; the most that it can be, if they depend on one another."""
    schedules: Iterator[tuple[Deviation, ...]]


def level_of(
    name: str,
    extended: Sequence[tuple[Prefix, Sequence[int]]],
    goes: Mapping[Role, tuple[Go, ...]],
    *,
    locks: bool = False,
) -> Level:
    """Return the level of the schedules that have one deviation more.

    Args:
        name: of the level.
        extended: schedules, each with the operations to deviate in; not changed any more.
        goes: as in `Prefix.next`.
        locks: as in `Prefix.next`.
    """

    def schedules() -> Iterator[tuple[Deviation, ...]]:
        return chain.from_iterable(prefix.next(goes, ops, locks=locks) for prefix, ops in extended)

    return Level(name, sum(1 for _ in schedules()), schedules())


class Search(Protocol):
    """Which schedules to run."""

    def levels(self) -> Iterator[Level]:
        """Yield the levels; each is exhausted before the next one is asked for."""

    def counts(self, schedule: tuple[Deviation, ...], trace: Trace) -> Counts:
        """Return the points to deviate at after a schedule; none: it is not to be extended."""

    def learn(self, schedule: tuple[Deviation, ...], counts: Counts) -> None:
        """Take over the result of `counts`, or none if the schedule could not be judged."""


class Visit(NamedTuple):
    """One schedule that was run."""

    execution: Execution
    level: str
    """Name of its level."""
    number: int
    """Its number in the level, from 1."""
    of: int
    """The number of schedules of the level."""
    learnt: Counts
    """What the search has learnt from it."""

    @property
    def deviations(self) -> int:
        """Number of deviations of its schedule."""
        return len(self.execution.scenario.schedule)


def raised(_schedule: tuple[Deviation, ...], error: HarnessError) -> None:
    """End the search."""
    raise error


def visits(
    target: Target,
    scenario: Scenario,
    search: Search,
    learnt: Sequence[Counts] = (),
    failed: Callable[[tuple[Deviation, ...], HarnessError], None] = raised,
) -> Iterator[Visit]:
    """Run a scenario's operations under the schedules of a search, one per item taken.

    Args:
        target: a started target.
        scenario: device configuration and operations; its own schedule is ignored.
        search: which schedules.
        learnt: what the search has learnt from its first schedules; they are not run again.
        failed: gets a schedule that could not be judged; the search goes on if it returns.

    Raises:
        HarnessError: no schedule can be judged any more, or as `failed` does.
    """
    known = iter(learnt)
    for level in search.levels():
        for number, schedule in enumerate(level.schedules, 1):
            if (counts := next(known, None)) is not None:
                search.learn(schedule, counts)
                continue
            try:
                execution = run_scenario(target, replace(scenario, schedule=schedule))
            except (DeviceUnavailable, ZygoteLost):
                raise
            except HarnessError as error:
                search.learn(schedule, ())
                failed(schedule, error)
                continue
            counts = search.counts(schedule, execution.trace)
            search.learn(schedule, counts)
            yield Visit(execution, level.name, number, level.of, counts)
