"""The deviations of one operation that count the points of one actor, not those of all together.

Such a deviation is due when its actor is to go on, with as many points passed since the operation
began as the deviation says. Actors have the numbers of `ActorId`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.scenario.scenario import Role
from vblkfuzz.trace.event import ActorId

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vblkfuzz.scenario.scenario import Deviation

_ACTOR_OF: Final = {role: int(ActorId[role.name]) for role in Role if role is not Role.ANY}


class OwnPoints:
    """The deviations that are left, and the points of each actor."""

    def __init__(self, deviations: Iterable[Deviation], actors: int) -> None:
        """Take the deviations of an operation; those of actors from number `actors` on are none."""
        self._left: list[list[Deviation]] = [[] for _ in range(actors)]
        for each in deviations:
            if each.role is not Role.ANY and _ACTOR_OF[each.role] < actors:
                self._left[_ACTOR_OF[each.role]].append(each)
        self._passed = [0] * actors

    def __bool__(self) -> bool:
        """Whether any deviation is left."""
        return any(self._left)

    def is_due(self, who: int) -> bool:
        """Whether an actor must not go on without its deviation."""
        left = self._left[who]
        return bool(left) and left[0].point <= self._passed[who]

    def take(self, who: int) -> Deviation:
        """Remove and return the next deviation of an actor."""
        return self._left[who].pop(0)

    def limit(self, who: int, budget: int) -> int:
        """Return the points that an actor may pass, at most `budget`, up to its next deviation."""
        left = self._left[who]
        return min(budget, left[0].point - self._passed[who]) if left else budget

    def delays(self, who: int, budget: int) -> bool:
        """Whether a deviation interrupts an actor after `budget` points and delays its stores."""
        left = self._left[who]
        return bool(left) and left[0].delayed and left[0].point - self._passed[who] == budget

    def count(self, who: int, points: int) -> None:
        """Count points that an actor has passed."""
        self._passed[who] += points
