"""Story states: which operation makes sense when.

A story state is a small integer: what a reader of the scenario knows about driver, drains, VM and
backend between two operations. It ignores the schedule and single queues, so it is a guess, good
enough to keep most inputs meaningful: a publish after an init, an end for a begin. Everything is
worked out once, at import, into tables by [state][code]. Next: `mutation.sentence`.
"""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

from vblkfuzz.scenario.ops import CODES, OPS

# Bits of a story state.
SET_UP: Final = 1
"""The driver has set the device up."""
UNKICKED: Final = 2
"""Something was published and no kick came since."""
BROKEN: Final = 4
"""Hostile ring contents: the device needs a reset."""
MIRRORING: Final = 8
STOPPED: Final = 16
HOLDING: Final = 32
POLLING: Final = 64
_DRAINED: Final = 128
"""One level of drain_begin. Two bits count to three; deeper nesting counts as three."""
_DEPTH: Final = 3 * _DRAINED
_STATES: Final = 4 * _DRAINED

_RESET: Final = SET_UP | UNKICKED | BROKEN
_TURNS_OFF: Final = {
    "init": UNKICKED | BROKEN,
    "kick": UNKICKED,
    "publish_kick": UNKICKED,
    "inband_kick": UNKICKED,
    "reset": _RESET,
    "system_reset": _RESET,
    "power_loss": _RESET,
    "queue_reset": UNKICKED,
    "mirror_finish": MIRRORING,
    "cont": STOPPED,
    "release": HOLDING,
    "poll_off": POLLING,
}
_TURNS_ON: Final = {
    "init": SET_UP,
    "publish": UNKICKED,
    "hostile": BROKEN,
    "mirror_begin": MIRRORING,
    "stop": STOPPED,
    "hold": HOLDING,
    "poll_on": POLLING,
}
_NEEDS: Final = {
    **{spec.name: SET_UP for spec in OPS if spec.owner == "guest"},
    "init": 0,
    "reset": 0,
    "mirror_finish": MIRRORING,
    "cont": STOPPED,
    "complete": HOLDING,
    "release": HOLDING,
    "flush": HOLDING,
    "poll_off": POLLING,
}
_EXCLUDES: Final = {
    "publish": BROKEN,
    "publish_kick": BROKEN,
    "hostile": BROKEN,
    "mirror_begin": MIRRORING,
    "stop": STOPPED,
    "hold": HOLDING,
    "poll_on": POLLING,
}


def fits(state: int, name: str) -> bool:
    """Whether an operation does something sensible in a state."""
    if name == "drain_end" and not state & _DEPTH:
        return False
    if name == "init" and state & SET_UP and not state & BROKEN:
        return False  # it resets the device first: the same story as a reset and an init
    needs = _NEEDS.get(name, 0)
    return state & needs == needs and not state & _EXCLUDES.get(name, 0)


def after(state: int, name: str) -> int:
    """Return the state after an operation, whether it fits or not."""
    depth = state & _DEPTH
    if name == "drain_begin" and depth < _DEPTH:
        state += _DRAINED
    if name == "drain_end" and depth:
        state -= _DRAINED
    return state & ~_TURNS_OFF.get(name, 0) | _TURNS_ON.get(name, 0)


NEXT: Final = tuple(tuple(after(state, spec.name) for spec in OPS) for state in range(_STATES))
"""The state after an operation, by [state][code]."""

FITS: Final = tuple(tuple(fits(state, spec.name) for spec in OPS) for state in range(_STATES))
"""Whether an operation makes sense, by [state][code]."""

WANTS_INIT: Final = frozenset(
    CODES[spec.name] for spec in OPS if spec.owner == "guest" and _NEEDS[spec.name]
)
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


def _pair(bits: int, begin: str, end: str) -> Pair:
    inner = [begin, *(name for name, needed in _NEEDS.items() if needed & bits)]
    return Pair(bits, CODES[begin], CODES[end], frozenset(CODES[name] for name in inner))


PAIRS: Final = tuple(
    _pair(bits, begin, end)
    for bits, begin, end in (
        (_DEPTH, "drain_begin", "drain_end"),
        (MIRRORING, "mirror_begin", "mirror_finish"),
        (STOPPED, "stop", "cont"),
        (HOLDING, "hold", "release"),
        (POLLING, "poll_on", "poll_off"),
    )
)
OPEN: Final = _DEPTH | MIRRORING | STOPPED | HOLDING | POLLING
"""Bits of all pairs."""

# How often an operation is inserted where it fits. A broken device ends the story, and a start
# that fails or another IOThread changes what all the rest means: rare.
_WEIGHTS: Final = {
    "init": 2, "publish": 3, "kick": 3, "publish_kick": 24, "collect": 6, "reset": 6,
    "queue_reset": 3, "set_used_event": 2, "suppress_calls": 2, "hostile": 1,
    "drain_begin": 8, "drain_end": 8, "mirror_begin": 4, "mirror_finish": 6, "stop": 4,
    "cont": 10, "system_reset": 4, "resize": 3, "set_iothread": 1, "snapshot": 3, "start_fail": 1,
    "complete": 10, "hold": 6, "release": 4, "flush": 3, "poll_on": 3, "poll_off": 5,
    "inband_kick": 3, "read_config": 1, "power_loss": 1,
}  # fmt: skip
_URGENT: Final = 8
"""Factor for what the story waits for: an init of a device that is not set up or broken, a kick."""


@cache
def choices(state: int) -> bytes:
    """Return codes of operations that fit a state, each as often as it should be chosen."""
    chosen = bytearray()
    for code, spec in enumerate(OPS):
        weight = _WEIGHTS[spec.name] * FITS[state][code]
        dead = state & BROKEN or not state & SET_UP
        if (spec.name == "init" and dead) or (spec.name == "kick" and state & UNKICKED):
            weight *= _URGENT
        chosen.extend([code] * weight)
    return bytes(chosen)
