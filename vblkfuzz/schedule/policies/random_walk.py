"""Scheduler `random`: at each point any actor that can go on, each with the same probability."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final

from vblkfuzz.schedule.policy import Scheduler

if TYPE_CHECKING:
    from vblkfuzz.scenario.scenario import Go, Scenario
    from vblkfuzz.schedule.policy import Moment, Task


class RandomWalk:
    """Decides by lot."""

    def __init__(self, _: Scenario, task: Task) -> None:
        self._random = Random(task.seed).random

    def choose(self, moment: Moment) -> Go:
        """See `Policy.choose`."""
        return moment.choices[int(self._random() * len(moment.choices))]


SCHEDULER: Final = Scheduler("random walk: any actor that can go on, by lot", RandomWalk)
