"""Places: where a thread acted after another one, in the shortest story in which it did.

Many mistakes show only if a thread wakes up while another one is half done with an operation. A
place is such an operation, the thread, the one that acted before it, and what the thread did to
requests there. Each kind of place has its turn, those that were tried least first, however many
stories have it: of all places of all stories, most are those of an init and a request. Some choices
tell apart, too, in which state of driver, drains, VM and backend the operation began. Next:
`mutation.early`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

from vblkfuzz.mutation.story_state import NEXT

Random = Callable[[], float]
Lane = tuple[int, Sequence[tuple[int, int, int]]]
"""Code of an operation, and who acted in it, in the order of their first events: an actor, how many
events others had before it, and a bit for each of its deeds (`trace.lanes`)."""

_IN_STATE: Final = 1 / 3
"""Probability that kinds are told apart by the state in which the operation began."""
_DRAWN: Final = 8
"""Kinds that are drawn to choose one of them."""
_IDLE: Final = 3
"""Tries that a kind seems to have had where the thread did nothing to a request. Many kinds are
such, and mistakes are about requests."""


class Place:
    """One place of one story."""

    __slots__ = ("actor", "at", "before", "data", "fresh", "tries")

    def __init__(self, data: bytes, at: int, actor: int, before: int, tries: int) -> None:
        self.data = data
        self.at = at
        """Index of the operation."""
        self.actor = actor
        """The thread (`ActorId`)."""
        self.before = before
        """Events of others before its first one in that operation."""
        self.tries = tries
        """How often a place of this kind was chosen."""
        self.fresh = True
        """Whether no story as short as this one was tried."""


class _Table:
    """A place of each kind."""

    def __init__(self) -> None:
        self._places: dict[tuple[int, ...], Place] = {}
        self._kinds: list[tuple[int, ...]] = []

    def __len__(self) -> int:
        return len(self._kinds)

    def note(self, kind: tuple[int, ...], data: bytes, at: int, before: int) -> None:
        """Note a place. Of stories as short as another, the last one counts."""
        known = self._places.get(kind)
        if known is None:
            self._kinds.append(kind)
            self._places[kind] = Place(data, at, kind[0], before, 0 if kind[2] else _IDLE)
        elif len(data) < len(known.data):
            self._places[kind] = Place(data, at, kind[0], before, known.tries)
        elif len(data) == len(known.data):
            known.data, known.at, known.before = data, at, before

    def choose(self, random: Random) -> Place:
        """Return the place that was tried least of some."""
        kinds = self._kinds
        drawn = [self._places[kinds[int(random() * len(kinds))]] for _ in range(_DRAWN)]
        chosen = min(drawn, key=lambda place: place.tries)
        chosen.tries += 1
        return chosen


class Places:
    """The places of one worker. The same calls give the same places."""

    def __init__(self) -> None:
        self._tables = _Table(), _Table()

    def __len__(self) -> int:
        """Return the number of kinds."""
        return sum(map(len, self._tables))

    def note(self, data: bytes, lanes: Sequence[Lane]) -> None:
        """Note who acted in an input that has run.

        Args:
            data: the input.
            lanes: one for each of its operations.
        """
        state = 0
        anywhere, in_state = self._tables
        for at, (code, acted) in enumerate(lanes):
            for (other, *_), (actor, before, deeds) in pairwise(acted):
                kind = actor, code, deeds, other
                anywhere.note(kind, data, at, before)
                if deeds:
                    in_state.note((*kind, state), data, at, before)
            state = NEXT[state][code]

    def choose(self, random: Random) -> Place | None:
        """Return the place to try next; None: there is none."""
        if not len(self):
            return None
        anywhere, in_state = self._tables
        return (in_state if len(in_state) and random() < _IN_STATE else anywhere).choose(random)
