"""Answered requests: what the driver asked for, what the device pushed, what the guest found.

Several rules judge the answer that the guest gets, and so need the same: which REQUEST a COLLECT
ends. `answered` pairs them once for all rules (`Report.answered`).

Left out are requests whose answer says nothing: those of rings in which the guest has broken the
protocol, until it sets up the device again; used entries that belong to no request (FOREIGN); and
requests without a status, which S14 judges.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from vblkfuzz.trace.ending import STATUS_OF
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import (
    COLLECT,
    DRIVER_INIT,
    FEATURES,
    HOSTILE,
    PUSH,
    QUEUE_RESET,
    REQUEST,
    SHAPE,
)

LIFE: Final = (REQUEST, SHAPE, PUSH, COLLECT, FEATURES, HOSTILE, QUEUE_RESET, DRIVER_INIT)
"""Kinds of the events that `answered` needs."""

_RINGS: Final = frozenset({HOSTILE, DRIVER_INIT})
"""The guest breaks its rings, or makes new ones."""
_PLAIN: Final = 0
_NO_FEATURES: Final = Event(0, FEATURES)


Place = tuple[int, int]
"""Queue and head."""


class Answered(NamedTuple):
    """A request that the guest has collected with a status."""

    request: Event
    """REQUEST."""
    shape: int
    """Code of its shape, 0 for a plain one (`scenario.alphabet.shape.SHAPES`)."""
    features: Event
    """The last FEATURES; one without any feature if there is none."""
    push: Event | None
    """Its PUSH; None if it was not observed before the COLLECT."""
    collect: Event
    """COLLECT; its flag is a key of `trace.ending.STATUS_OF`."""


def answered(events: Sequence[Event]) -> Sequence[Answered]:
    """Return the answered requests of a trace, in the order of their COLLECTs.

    Args:
        events: the trace, or its events of the kinds in LIFE.
    """
    asked: dict[Place, tuple[Event, int]] = {}
    """REQUEST and its shape, of each request that is not collected."""
    pushed: dict[Place, Event] = {}
    found: list[Answered] = []
    shape, features, hostile = _PLAIN, _NO_FEATURES, False
    for event in events:
        kind = event.kind
        if kind == PUSH:
            pushed[event.queue, event.head] = event
        elif kind == REQUEST:
            place = event.queue, event.head
            asked[place] = event, shape
            shape = _PLAIN
            # The last request with this head was collected, maybe before its PUSH was observed.
            pushed.pop(place, None)
        elif kind == COLLECT:
            place = event.queue, event.head
            if event.flag in STATUS_OF and place in asked and not hostile:
                request, its_shape = asked.pop(place)
                push = pushed.pop(place, None)
                found.append(Answered(request, its_shape, features, push, event))
        elif kind == SHAPE:
            shape = event.flag
        elif kind == FEATURES:
            features = event
        elif kind == QUEUE_RESET:
            _forget(event.queue, asked)
            _forget(event.queue, pushed)
        elif kind in _RINGS:
            hostile = kind == HOSTILE
            asked.clear()
            pushed.clear()
    return found


def _forget(queue: int, known: dict[Place, Any]) -> None:
    """Forget the requests of a queue that was reset."""
    for place in [place for place in known if place[0] == queue]:
        del known[place]
