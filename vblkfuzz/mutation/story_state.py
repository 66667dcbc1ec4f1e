"""Story states: which operation makes sense at which place of a scenario.

A story state is a small integer made of the bits of `scenario.alphabet.spec`: the state of driver,
drains, VM and backend between two operations. It ignores the schedule and does not distinguish
queues, so it is an estimate, good enough to keep most inputs meaningful: a publish after an init,
an end for a begin. The rows of the tables below, by [state][code], are computed from those of the
alphabet when they are first needed: a story meets few of the states. Next: `mutation.sentence`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final, NamedTuple, TypeVar

from vblkfuzz.scenario.alphabet.ops import CODES, OPS
from vblkfuzz.scenario.alphabet.spec import BROKEN, DRAINED, SET_UP, UNKICKED, OpSpec

_DEPTH: Final = 3 * DRAINED
"""Two bits that count levels of drained sections up to three; deeper nesting counts as three."""
STATES: Final = range(4 * DRAINED)

_Cell = TypeVar("_Cell")


class _Rows(dict[int, tuple[_Cell, ...]]):
    """A table by [state][code]."""

    def __init__(self, rule: Callable[[int, OpSpec], _Cell]) -> None:
        super().__init__()
        self._rule = rule

    def __missing__(self, state: int) -> tuple[_Cell, ...]:
        row = self[state] = tuple(self._rule(state, spec) for spec in OPS)
        return row


def fits(state: int, spec: OpSpec) -> bool:
    """Whether an operation makes sense in a state."""
    if spec.clears & DRAINED and not state & _DEPTH:
        return False
    if spec.name == "init" and state & SET_UP and not state & BROKEN:
        return False  # an init resets the device first, so this is the same as reset and init
    return state & spec.needs == spec.needs and not state & spec.excludes


def after(state: int, spec: OpSpec) -> int:
    """Return the state after an operation, whether it fits or not."""
    depth = state & _DEPTH
    if spec.sets & DRAINED and depth < _DEPTH:
        state += DRAINED
    if spec.clears & DRAINED and depth:
        state -= DRAINED
    return state & ~(spec.clears & ~DRAINED) | spec.sets & ~DRAINED


NEXT: Final = _Rows(after)
"""The state after an operation, by [state][code]."""

FITS: Final = _Rows(fits)
"""Whether an operation makes sense, by [state][code]."""

WANTS_INIT: Final = frozenset(spec.code for spec in OPS if spec.needs & SET_UP)
"""Codes of operations that make sense after an init only."""


class Pair(NamedTuple):
    """Two operations that belong together."""

    open: int
    """State bits that are set between the two."""
    begin: int
    """Code of the first."""
    end: int
    """Code of the second."""
    inner: frozenset[int]
    """Codes of the first operation and of those that need its state bits. The second operation is
    inserted after the last of them."""


def _pair(begin: OpSpec) -> Pair:
    bits = _DEPTH if begin.sets & DRAINED else begin.sets
    inner = [begin.code, *(spec.code for spec in OPS if spec.needs & bits)]
    return Pair(bits, begin.code, CODES[begin.end], frozenset(inner))


PAIRS: Final = tuple(_pair(spec) for spec in OPS if spec.end)
OPEN: Final = sum(pair.open for pair in PAIRS)
"""State bits of all pairs."""

_URGENT: Final = 8
"""Factor for an init of a device that is broken or not set up, and for a kick after a publish."""


@cache
def choices(state: int) -> bytes:
    """Return the codes of operations that fit a state; repetition is weight."""
    chosen = bytearray()
    for code, spec in enumerate(OPS):
        weight = spec.weight * FITS[state][code]
        dead = state & BROKEN or not state & SET_UP
        if (spec.name == "init" and dead) or (spec.name == "kick" and state & UNKICKED):
            weight *= _URGENT
        chosen.extend([code] * weight)
    return bytes(chosen)
