"""Scheduler `none`: never deviates, so that each operation settles before the next one starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.schedule.policy import Scheduler

if TYPE_CHECKING:
    from vblkfuzz.scenario.scenario import Go, Scenario
    from vblkfuzz.schedule.policy import Moment, Task


class Default:
    """Decides what happens anyway."""

    def __init__(self, _scenario: Scenario, _task: Task) -> None:
        """Take nothing."""

    def choose(self, moment: Moment) -> Go:
        """See `Policy.choose`."""
        return moment.default


SCHEDULER: Final = Scheduler("no deviations: each operation settles before the next one", Default)
