"""Whose turn it is: one thread goes on, the others wait at their next point until it sleeps.

Next is the thread with the lowest role, so the order does not depend on the machine. A deviation
holds a thread: the one that it names goes first then, and the held one goes on when told to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.scenario.scenario import Go, Role

if TYPE_CHECKING:
    from vblkfuzz.gate.line import Line
    from vblkfuzz.gate.listener import Stop
    from vblkfuzz.scenario.scenario import Deviation

_RANK = {Role.MAIN: 0, Role.IO0: 1, Role.IO1: 2, Role.VCPU: 3, Role.MONITOR: 4, Role.WORKER: 5}
_NAMED = {Go.MAIN: Role.MAIN, Go.IO0: Role.IO0, Go.IO1: Role.IO1}


MOST_IN_A_ROW: Final = 1000
"""Points after which a thread lets another one go on: it may wait for that one in a loop."""


class Waiting(NamedTuple):
    """A thread at a point."""

    stop: Stop
    role: Role
    line: Line


class Held(NamedTuple):
    """A thread that a deviation holds."""

    waiting: Waiting
    number: int
    """Of the deviation in the schedule."""
    deviation: Deviation

    @property
    def over_next(self) -> bool:
        """Whether it is held over the next operation, not only until the others rest."""
        return self.deviation.go not in _NAMED


class Order:
    """The threads that wait at points, in their order."""

    def __init__(self) -> None:
        self.turn: int | None = None
        """Id of the thread that goes on; None: all wait, or sleep elsewhere."""
        self.held: list[Held] = []
        """In the order in which they were held."""
        self._waiting: dict[int, Waiting] = {}
        self._passed = 0
        """Points in a row of the thread that has the turn."""
        self._gives_way = 0
        """Id of a thread that is next only if no other one waits; 0: none."""

    @property
    def waits(self) -> bool:
        """Whether a thread waits for its turn."""
        return bool(self._waiting)

    def arrive(self, waiting: Waiting) -> Waiting | None:
        """Note that a thread is at a point; return it if it may go on now."""
        thread = waiting.stop.thread
        self._passed = self._passed + 1 if self.turn == thread else 0
        if self._passed > MOST_IN_A_ROW and self._waiting:
            self.turn, self._gives_way = None, thread
        elif self.turn == thread or (self.turn is None and not self._waiting):
            self.turn = thread
            return waiting
        self._waiting[thread] = waiting
        return None

    def arrive_again(self, stop: Stop) -> bool:
        """Take the new question of a thread that waits or is held; return whether it does.

        A thread that was stopped in its question (SIGSTOP) asks again when it goes on.
        """
        thread = stop.thread
        if thread in self._waiting:
            self._waiting[thread] = self._waiting[thread]._replace(stop=stop)
            return True
        for place, held in enumerate(self.held):
            if held.waiting.stop.thread == thread:
                self.held[place] = held._replace(waiting=held.waiting._replace(stop=stop))
                return True
        return False

    def next(self) -> Waiting:
        """Give the turn to the next thread that waits for it, and return it."""
        first = {_NAMED.get(held.deviation.go) for held in self.held}
        others = [each for each in self._waiting.values() if each.stop.thread != self._gives_way]
        chosen = min(others or self._waiting.values(), key=lambda each: _rank(each, first))
        self._gives_way = 0
        del self._waiting[chosen.stop.thread]
        self.turn = chosen.stop.thread
        return chosen

    def hold(self, held: Held) -> None:
        """Hold the thread that has the turn, which is free then."""
        self.held.append(held)
        self.turn = None

    def resume(self, held: Held) -> Waiting:
        """Give the turn to a held thread."""
        self.held.remove(held)
        if self.turn is None:
            self.turn = held.waiting.stop.thread
        return held.waiting

    def drain(self) -> list[Waiting]:
        """Forget all threads; return those that waited or were held."""
        found = [*self._waiting.values(), *(held.waiting for held in self.held)]
        self._waiting.clear()
        self.held.clear()
        self.turn = None
        return found


def _rank(waiting: Waiting, first: set[Role | None]) -> tuple[bool, int, int]:
    return waiting.role not in first, _RANK[waiting.role], waiting.stop.thread
