"""Ordered pairs of accesses: two accesses of an object, by different actors, one after the other.

Two schedules of the same events differ in such pairs. A feature is what the two accesses are (kind
of event) and whose they are. It is not which queue they are for, nor when they happen: so there are
a few hundred, all of which a campaign meets sooner or later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.limits import COVERAGE_PAIRS, COVERAGE_SIZE
from vblkfuzz.trace.access import object_of

if TYPE_CHECKING:
    from vblkfuzz.trace.trace import Trace

_PAIRS_AT: Final = COVERAGE_SIZE - COVERAGE_PAIRS
_ACTORS: Final = 8
_SPREAD: Final = 1979
"""Of the 189 pairs of a campaign on `reference`, 185 have a place of their own with it."""


def mark_pairs(view: memoryview, trace: Trace) -> None:
    """Mark the pairs of a trace in the coverage region."""
    last: dict[int, tuple[int, int]] = {}
    for event in trace.events:
        accessed = object_of(event)
        if accessed:
            kind, actor = event[1], event[2]
            before = last.get(accessed)
            if before is not None and before[1] != actor:
                first = before[0] * _ACTORS + before[1]
                number = first * _SPREAD + kind * _ACTORS + actor
                view[_PAIRS_AT + number % COVERAGE_PAIRS] = 1
            last[accessed] = kind, actor
