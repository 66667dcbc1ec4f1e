"""A thread goes on earlier than it did: more deviations in a story that has run.

Which threads have work in an operation is not known before a run; of a story that has run it is:
those that acted in it. One that acted after another is let go on earlier: at one point, or at each
of some points in a row, that is as soon as it has work. A deviation that names a thread without
work changes nothing, so the second needs no luck with the point: it finds what happens if a thread
wakes up at once, while what woke it is half done. Next: `mutation.mutate`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from vblkfuzz.limits import MAX_POINT
from vblkfuzz.mutation.deviate import mark
from vblkfuzz.scenario.scenario import Go

if TYPE_CHECKING:
    from vblkfuzz.mutation.draft import Draft
    from vblkfuzz.mutation.places import Place

Random = Callable[[], float]

_POINTS: Final = 4 / 3
"""Points for an event, at most: most threads have an event between two points."""
_NEXT: Final = 1 / 5
"""Probability that the next operation starts early instead of a thread."""
_AT_ONCE: Final = 1 / 2
"""Probability that a thread goes on as soon as it has work."""
_FROM_START: Final = 1 / 2
"""Probability that this holds from the start of the operation."""
_ROW: Final = 7
"""Points in a row at which a thread goes on if it can."""
_FIRST_ROW: Final = 14
"""The same, when a story is tried for the first time."""
_ALONE: Final = 1 / 4
"""Probability that the other deviations are dropped."""


def early(draft: Draft, place: Place, random: Random) -> None:
    """Let a thread go on earlier at a place.

    Args:
        draft: the story of the place.
        place: where it acted after another one when the story ran.
        random: as in `random.random`.
    """
    if place.fresh:
        place.fresh = False
        at_once(draft, place.at, place.actor, 0, _FIRST_ROW)
        return
    if random() < _ALONE:
        draft.items = [(record, ()) for record, _ in draft.items]
    at, actor = place.at, place.actor
    point = min(int(random() * (1 + place.before * _POINTS)), MAX_POINT - 1)
    if random() < _NEXT:
        mark(draft, at, (point, int(Go.NEXT), b""))
    elif random() < _AT_ONCE:
        at_once(draft, at, actor, 0 if random() < _FROM_START else point)
    else:
        mark(draft, at, (point, actor, b""))


def at_once(draft: Draft, at: int, actor: int, first: int, points: int = _ROW) -> None:
    """Let a thread go on as soon as it has work, from point `first` of an operation on."""
    for point in range(first, min(first + points, MAX_POINT)):
        mark(draft, at, (point, actor, b""))
