"""Answered requests: what the driver asked for, what the device pushed, what the guest found.

Several rules judge the answer that the guest gets, and so need the same: which REQUEST a COLLECT
ends. `answered` pairs them once for all rules (`Report.answered`).

Left out are requests whose answer says nothing: those of rings in which the guest has broken the
protocol, until it sets up the device again; used entries that belong to no request (FOREIGN); and
requests without a status, which S14 judges.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

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

_PLAIN: Final = 0
_NO_FEATURES: Final = Event(0, FEATURES)


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
    book = _Book()
    asked, pushed, found = book.asked, book.pushed, book.found
    for event in events:
        kind = event.kind
        if kind == PUSH:
            pushed[event.queue, event.head] = event
        elif kind == REQUEST:
            place = event.queue, event.head
            asked[place] = event, book.shape
            book.shape = _PLAIN
            # The last request with this head was collected, maybe before its PUSH was observed.
            if place in pushed:
                del pushed[place]
        elif kind == COLLECT:
            place = event.queue, event.head
            if event.flag in STATUS_OF and place in asked and not book.hostile:
                request, shape = asked.pop(place)
                push = pushed.pop(place, None)
                found.append(Answered(request, shape, book.features, push, event))
        elif kind in _RARE:
            _RARE[kind](book, event)
    return found


class _Book:
    """Requests that the guest has not collected."""

    __slots__ = ("asked", "features", "found", "hostile", "pushed", "shape")

    def __init__(self) -> None:
        self.asked: dict[tuple[int, int], tuple[Event, int]] = {}
        """REQUEST and its shape, by queue and head."""
        self.pushed: dict[tuple[int, int], Event] = {}
        """PUSH, by queue and head."""
        self.found: list[Answered] = []
        self.shape = _PLAIN
        """Shape of the next request."""
        self.features = _NO_FEATURES
        self.hostile = False

    def next_shape(self, shape: Event) -> None:
        """Note that the next request is not a plain one."""
        self.shape = shape.flag

    def negotiated(self, features: Event) -> None:
        """Note what the device has offered and the driver accepted."""
        self.features = features

    def break_rings(self, event: Event) -> None:
        """The guest breaks the protocol (HOSTILE), or begins anew with other rings."""
        self.hostile = event.kind == HOSTILE
        self.asked.clear()
        self.pushed.clear()

    def forget(self, reset: Event) -> None:
        """Forget the rings of a queue that was reset."""
        for known in (self.asked, self.pushed):
            for place in [place for place in known if place[0] == reset.queue]:
                del known[place]


_RARE: Final = {
    SHAPE: _Book.next_shape,
    FEATURES: _Book.negotiated,
    HOSTILE: _Book.break_rings,
    DRIVER_INIT: _Book.break_rings,
    QUEUE_RESET: _Book.forget,
}
