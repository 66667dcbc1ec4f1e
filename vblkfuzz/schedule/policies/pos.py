"""Scheduler `pos`: partial order sampling (Yuan, Yang and Gu, CAV 2018).

The next step of each actor has a random priority, and the highest one is done. Then the actor gets
a new priority, and so do those whose next step conflicts with it. What a step will access is not
known before it is done; it is taken to be what the last step of that actor accessed, and anything
before its first one.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final

from vblkfuzz.schedule.policy import ACTORS, Scheduler
from vblkfuzz.trace.access import object_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.scenario.scenario import Go, Scenario
    from vblkfuzz.schedule.policy import Moment, Task
    from vblkfuzz.trace.event import Event


class Pos:
    """Decides by priorities of steps."""

    def __init__(self, _: Scenario, task: Task) -> None:
        self._random = Random(task.seed).random
        self._priorities = [self._random() for _ in range(ACTORS)]
        self._accessed: list[frozenset[int]] = [frozenset()] * ACTORS
        """By actor: the objects of the last step of it that accessed any; none: there was none."""
        self._last: Go | None = None

    def choose(self, moment: Moment) -> Go:
        """See `Policy.choose`."""
        if self._last is not None:
            self._note(self._last, moment.happened)
        self._last = max(moment.choices, key=self._priorities.__getitem__)
        return self._last

    def _note(self, done: Go, happened: Sequence[Event]) -> None:
        """Give a new priority to the actor of a step, and to those that it conflicts with."""
        objects = frozenset(map(object_of, happened)) - {0}
        self._priorities[done] = self._random()
        for who, others in enumerate(self._accessed):
            if who != done and objects and (not others or others & objects):
                self._priorities[who] = self._random()
        if objects:
            self._accessed[done] = objects


SCHEDULER: Final = Scheduler("POS: random priorities of steps, new ones where they conflict", Pos)
