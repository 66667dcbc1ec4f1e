"""Schedulers by name. All are found by entry point, those of other packages as well."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from vblkfuzz.entry_points import Registry
from vblkfuzz.schedule.policy import Scheduler

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

INPUT: Final = "input"
"""The scheduler that obeys the deviations of the input."""
NONE: Final = "none"
"""The scheduler that never deviates."""


def _scheduler(named: object, _: EntryPoint) -> Scheduler | None:
    return named if isinstance(named, Scheduler) else None


SCHEDULERS: Final = Registry("scheduler", "a Scheduler", _scheduler)


@cache
def scheduler_of(name: str) -> Scheduler:
    """Return the scheduler of that name; it is imported once.

    Raises:
        UsageError: there is none, or it cannot be imported.
    """
    return SCHEDULERS.find(name)
