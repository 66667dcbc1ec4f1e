"""Scheduler `input`: obeys the deviations of the input, as a replay does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.scenario.scenario import Role
from vblkfuzz.schedule.policy import Scheduler

if TYPE_CHECKING:
    from vblkfuzz.scenario.scenario import Go, Scenario
    from vblkfuzz.schedule.policy import Moment, Task


class Given:
    """Decides as recorded; deviations that count the points of one actor are left out."""

    def __init__(self, scenario: Scenario, _: Task) -> None:
        self._goes = {
            (each.op, each.point): each.go for each in scenario.schedule if each.role is Role.ANY
        }

    def choose(self, moment: Moment) -> Go:
        """See `Policy.choose`."""
        go = self._goes.get((moment.op, moment.point), moment.default)
        return go if go in moment.choices else moment.default


SCHEDULER: Final = Scheduler(
    "the deviations of the input, as mutations make them", Given, steers=False
)
