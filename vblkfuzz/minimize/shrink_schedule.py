"""Passes over the schedule: fewer deviations, then simpler ones.

Often a deviation only lets one operation run in the middle of another, and moving an operation has
the same effect. So if a deviation cannot be dropped alone, it is dropped and an operation is moved.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, permutations
from typing import TYPE_CHECKING, Final

from vblkfuzz.minimize.edit import with_deviation, with_op_moved, without_deviations
from vblkfuzz.minimize.shrink_values import lower
from vblkfuzz.minimize.weight import GO_RANK
from vblkfuzz.scenario.scenario import Deviation, Go

if TYPE_CHECKING:
    from vblkfuzz.minimize.search import Search

_MOVABLE: Final = 16
"""Most operations with which `move_instead` tries all moves."""
_GOES: Final = tuple(sorted(Go, key=GO_RANK.__getitem__))


def drop_deviations(search: Search) -> None:
    """Drop all deviations, or all but one or two, or single ones."""
    count = len(search.best.schedule)
    for kept in range(min(count, 3)):
        for chosen in combinations(range(count), kept):
            rest = [place for place in range(count) if place not in chosen]
            if search.attempt(without_deviations(search.best, rest)):
                return
    for place in reversed(range(count)):
        search.attempt(without_deviations(search.best, (place,)))


def move_instead(search: Search) -> None:
    """Drop a deviation and move an operation."""
    while search.best.schedule and len(search.best.ops) <= _MOVABLE:
        if not _moved(search):
            return


def _moved(search: Search) -> bool:
    places = range(len(search.best.ops))
    for dropped in range(len(search.best.schedule)):
        plain = without_deviations(search.best, (dropped,))
        for place, to in permutations(places, 2):
            if search.attempt(with_op_moved(plain, place, to)):
                return True
    return False


def simpler_deviations(search: Search) -> None:
    """Simplify each deviation: no delayed stores, an earlier point, a plainer `Go`.

    Its place is that of one point only, and would decide instead of another number.
    """
    for place in range(len(search.best.schedule)):
        _simplify(search, place)


def _simplify(search: Search, place: int) -> None:
    deviation = search.best.schedule[place]
    if deviation.delayed:
        _replaced(search, place, replace(deviation, delayed=False))
    deviation = search.best.schedule[place]
    for point in lower(deviation.point):
        if _replaced(search, place, replace(deviation, point=point, place=None)):
            break
    deviation = search.best.schedule[place]
    for go in _GOES:
        if _replaced(search, place, replace(deviation, go=go)):
            break


def _replaced(search: Search, place: int, deviation: Deviation) -> bool:
    return search.attempt(with_deviation(search.best, place, deviation))
