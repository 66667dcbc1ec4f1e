"""Scheduler `pct`: probabilistic concurrency testing (Burckhardt et al., ASPLOS 2010).

Actors have random priorities, and the one with the highest goes on. At d-1 steps, chosen by lot,
the actor that would go on gets a priority below all others. A bug of depth d, one that needs d
ordered pairs of steps, is hit with a probability of at least 1 / (n * k^(d-1)) in each run, with n
actors and k steps (`schedule.bound`).
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final

from vblkfuzz.schedule.policy import ACTORS, Scheduler

if TYPE_CHECKING:
    from vblkfuzz.scenario.scenario import Go, Scenario
    from vblkfuzz.schedule.policy import Moment, Task


class Pct:
    """Decides by priorities."""

    def __init__(self, _: Scenario, task: Task) -> None:
        random = Random(task.seed).random
        # A sort by lot, since only random() stays the same in later versions of Python.
        order = sorted((random(), who) for who in range(ACTORS))
        self._priorities = [0] * ACTORS
        for rank, (_lot, who) in enumerate(order):
            self._priorities[who] = task.depth + rank
        self._changes = [1 + int(random() * task.steps) for _ in range(task.depth - 1)]
        self._step = 0

    def choose(self, moment: Moment) -> Go:
        """See `Policy.choose`."""
        self._step += 1
        for number, step in enumerate(self._changes, 1):
            if step == self._step:
                self._priorities[self._highest(moment)] = number
        return self._highest(moment)

    def _highest(self, moment: Moment) -> Go:
        return max(moment.choices, key=self._priorities.__getitem__)


SCHEDULER: Final = Scheduler(
    "PCT: random priorities that change at d-1 steps, for bugs of depth d", Pct, depths=(1, 2, 3)
)
