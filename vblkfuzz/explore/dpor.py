"""Partial-order reduction: histories that differ only in the order of independent events are one.

Two events are *independent* if different actors cause them and neither touches what the other
changes: the ring of a queue, a request, the disk, the drain state of the block layer, the device as
a whole. Then no rule tells from a trace which of the two came first. What is not listed here
touches everything, so an event that is forgotten costs work but hides nothing.

The start of an operation depends on that of others only: rules ask whether all had settled before
it, and leave out those that the schedule has hurried (`oracle.rules.settled`). So, of two schedules
with one history, the one that hurries less is judged by all rules that judge the other.

A history is reduced to its happens-before relation (Mazurkiewicz 1977): each event is named by
itself and the names of the events before it that it depends on; the order of the names is no part
of it. Two schedules with one such relation and one state (`model_state`) go on alike, so it is
enough to go on from one of them. This is sound with a bound on deviations, since the one with
fewer of them is kept (happens-before caching: Musuvathi and Qadeer, PLDI 2007; Coons, Musuvathi
and McKinley, OOPSLA 2013, on why sleep sets are not).
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.trace import kinds
from vblkfuzz.trace.event import ActorId

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vblkfuzz.trace.event import Event

    Touches = Callable[[Event], "Touched"]

_OPERATIONS: Final = ("operations",)
_DRAIN: Final = ("drain",)
_DISK: Final = ("disk",)
_DEVICE: Final = ("device",)

_GUEST: Final = frozenset(
    (kinds.PUBLISH, kinds.KICK, kinds.COLLECT, kinds.REQUEST, kinds.CALLED, kinds.SECTOR)
)
"""What a driver does with a ring, and learns from it."""
_DRAINS: Final = frozenset(
    (
        *(kinds.DRAIN_CALL, kinds.DRAIN_RET, kinds.DRAIN_END),
        *(kinds.DRAINED_BEGIN, kinds.DRAINED_END),
    )
)
_BLOCK_LAYER: Final = frozenset((kinds.SUBMIT, kinds.PARK, kinds.UNPARK))
"""What becomes of a request below the device."""
_DISK_IO: Final = frozenset((kinds.IO_DONE, kinds.FLUSHED))
_RING: Final = frozenset(
    (
        *(kinds.POP, kinds.PUSH, kinds.MEMWRITE, kinds.IRQ, kinds.NOTIFICATION),
        *(kinds.HANDLER, kinds.HANDLER_END, kinds.ATTACH, kinds.DETACH),
        *(kinds.POLL_BEGIN, kinds.POLL_END),
    )
)
"""What the device does with a queue."""

Part = tuple[object, ...]
"""One thing that events touch."""


class Touched(NamedTuple):
    """The parts that an event depends on, and those that it changes."""

    reads: tuple[Part, ...]
    writes: tuple[Part, ...]


def touched(event: Event) -> Touched:
    """Return what an event touches. All but the start of an operation depend on the device."""
    kind, queue, request = event.kind, ("queue", event.queue), ("request", event.request)
    if kind == kinds.OP:
        return Touched((), (_OPERATIONS,))
    if kind in _GUEST:
        return Touched((_DEVICE, _DISK), (queue,))
    if kind in _DRAINS:
        return Touched((_DEVICE,), (_DRAIN,))
    if kind in _BLOCK_LAYER:
        return Touched((_DEVICE, _DRAIN), (request,))
    if kind in _DISK_IO:
        return Touched((_DEVICE, _DRAIN), (request, _DISK))
    if kind in _RING:
        return Touched((_DEVICE, _DRAIN, _DISK), (queue, request))
    return Touched((), (_DEVICE,))


def independent(one: Event, two: Event, touches: Touches = touched) -> bool:
    """Whether it makes no difference which of two events that follow one another comes first."""
    if one.actor == two.actor != ActorId.HARNESS:
        return False
    (reads, writes), (others, changes) = touches(one), touches(two)
    return {*reads, *writes}.isdisjoint(changes) and {*others, *changes}.isdisjoint(writes)


def history(events: Iterable[Event], touches: Touches = touched) -> bytes:
    """Return 16 bytes that are equal for histories that differ in independent events only."""
    relation = _Relation()
    for event in events:
        relation.add(event, touches(event))
    return blake2b(b"".join(sorted(relation.names)), digest_size=16).digest()


class _Relation:
    """The happens-before relation of the events so far."""

    def __init__(self) -> None:
        self.names: list[bytes] = []
        self._changed: dict[Part, bytes] = {}
        """The last event that changed a part, and the last one of an actor."""
        self._read: dict[Part, list[bytes]] = {}
        """The events that have only depended on a part since."""

    def add(self, event: Event, parts: Touched) -> None:
        """Add the next event."""
        # The harness is no thread: what it notes has no order of its own.
        own = () if event.actor == ActorId.HARNESS else (("actor", event.actor),)
        changes = (*parts.writes, *own)
        before = [self._changed[part] for part in (*parts.reads, *changes) if part in self._changed]
        for part in changes:
            before += self._read.pop(part, ())
        name = _name(event, before)
        self._changed.update(dict.fromkeys(changes, name))
        for part in parts.reads:
            self._read.setdefault(part, []).append(name)
        self.names.append(name)


def _name(event: Event, before: Iterable[bytes]) -> bytes:
    """Name an event, without the number of its turn, which a deviation may change."""
    data = repr(event[1:]).encode() + b"".join(sorted(set(before)))
    return blake2b(data, digest_size=8).digest()
