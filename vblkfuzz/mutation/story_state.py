"""Story states: which operation makes sense when.

A story state is a small integer, made of the bits of `scenario.alphabet.spec`: what a reader of the
scenario knows about driver, drains, VM and backend between two operations. It ignores the schedule
and single queues, so it is a guess, good enough to keep most inputs meaningful: a publish after an
init, an end for a begin. Everything is worked out once, at import, from the rows of the alphabet
into tables by [state][code]. Next: `mutation.sentence`.
"""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

from vblkfuzz.scenario.alphabet.ops import CODES, OPS
from vblkfuzz.scenario.alphabet.spec import BROKEN, DRAINED, SET_UP, UNKICKED, OpSpec

_DEPTH: Final = 3 * DRAINED
"""Two bits count levels of drained sections to three; deeper nesting counts as three."""
_STATES: Final = 4 * DRAINED


def fits(state: int, spec: OpSpec) -> bool:
    """Whether an operation does something sensible in a state."""
    if spec.clears & DRAINED and not state & _DEPTH:
        return False
    if spec.name == "init" and state & SET_UP and not state & BROKEN:
        return False  # it resets the device first: the same story as a reset and an init
    return state & spec.needs == spec.needs and not state & spec.excludes


def after(state: int, spec: OpSpec) -> int:
    """Return the state after an operation, whether it fits or not."""
    depth = state & _DEPTH
    if spec.sets & DRAINED and depth < _DEPTH:
        state += DRAINED
    if spec.clears & DRAINED and depth:
        state -= DRAINED
    return state & ~(spec.clears & ~DRAINED) | spec.sets & ~DRAINED


NEXT: Final = tuple(tuple(after(state, spec) for spec in OPS) for state in range(_STATES))
"""The state after an operation, by [state][code]."""

FITS: Final = tuple(tuple(fits(state, spec) for spec in OPS) for state in range(_STATES))
"""Whether an operation makes sense, by [state][code]."""

WANTS_INIT: Final = frozenset(spec.code for spec in OPS if spec.needs & SET_UP)
"""Codes of what an init before it makes sensible."""


class Pair(NamedTuple):
    """Two operations that belong together."""

    open: int
    """Bits of a state that are set between the two."""
    begin: int
    """Code of the first."""
    end: int
    """Code of the second."""
    inner: frozenset[int]
    """Codes of the first and of what makes no sense behind the second."""


def _pair(begin: OpSpec) -> Pair:
    bits = _DEPTH if begin.sets & DRAINED else begin.sets
    inner = [begin.code, *(spec.code for spec in OPS if spec.needs & bits)]
    return Pair(bits, begin.code, CODES[begin.end], frozenset(inner))


PAIRS: Final = tuple(_pair(spec) for spec in OPS if spec.end)
OPEN: Final = sum(pair.open for pair in PAIRS)
"""Bits of all pairs."""

_URGENT: Final = 8
"""Factor for what the story waits for: an init of a device that is not set up or broken, a kick."""


@cache
def choices(state: int) -> bytes:
    """Return codes of operations that fit a state, each as often as it should be chosen."""
    chosen = bytearray()
    for code, spec in enumerate(OPS):
        weight = spec.weight * FITS[state][code]
        dead = state & BROKEN or not state & SET_UP
        if (spec.name == "init" and dead) or (spec.name == "kick" and state & UNKICKED):
            weight *= _URGENT
        chosen.extend([code] * weight)
    return bytes(chosen)
