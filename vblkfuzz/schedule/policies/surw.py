"""Scheduler `surw`: selectively uniform random walk (Zhao et al., ASPLOS 2025).

Of all orders of the *interesting* events, each is about equally likely. An actor is chosen with a
probability in proportion to the interesting events that it still has, as a run of the same
operations has shown, and goes on until one of them has happened. The start of an operation is an
interesting event of the story.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final

from vblkfuzz.scenario.scenario import Go
from vblkfuzz.schedule.policy import ACTORS, Scheduler
from vblkfuzz.trace.kinds import (
    DRAIN_CALL,
    DRAIN_END,
    KICK,
    POP,
    QUEUE_RESET,
    RESET_CALL,
    RESET_RET,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.schedule.policy import Moment, Task
    from vblkfuzz.trace.event import Event

INTERESTING: Final = frozenset(
    (DRAIN_CALL, DRAIN_END, KICK, POP, QUEUE_RESET, RESET_CALL, RESET_RET)
)
"""Kinds of the events whose order is chosen uniformly."""


def counts_in(events: Iterable[Event]) -> tuple[int, ...]:
    """Return the number of interesting events by the number of the actor, for `Task.counts`."""
    counts = [0] * ACTORS
    for event in events:
        if event[1] in INTERESTING and event[2] < Go.NEXT:
            counts[event[2]] += 1
    return tuple(counts)


class Surw:
    """Decides by the number of interesting events that are left."""

    def __init__(self, scenario: Scenario, task: Task) -> None:
        self._random = Random(task.seed).random
        self._left = [*task.counts] or [1] * ACTORS
        self._left[Go.NEXT] = len(scenario.ops) - 1
        self._intended: Go | None = None

    def choose(self, moment: Moment) -> Go:
        """See `Policy.choose`."""
        self._note(moment.happened)
        intended = self._intended
        if intended is None or intended not in moment.choices:
            self._intended = intended = self._drawn(moment.choices)
        if intended is Go.NEXT:
            self._left[intended] -= 1
            self._intended = None
        return intended

    def _note(self, happened: Iterable[Event]) -> None:
        for event in happened:
            if event[1] in INTERESTING and event[2] < Go.NEXT:
                self._left[event[2]] -= 1
                if event[2] == self._intended:
                    self._intended = None

    def _drawn(self, choices: Sequence[Go]) -> Go:
        """Choose in proportion to what is left; by lot if nothing is."""
        left = [max(self._left[go], 0) for go in choices]
        at = self._random() * (sum(left) or len(left))
        for go, weight in zip(choices, left, strict=True):
            at -= weight if sum(left) else 1
            if at < 0:
                return go
        return choices[-1]


SCHEDULER: Final = Scheduler("SURW: drains, kicks, resets and pops in any order alike", Surw)
