"""The event ring: where one process writes what it saw.

Each process of a worker owns one ring in the arena and is its only writer; nobody reads it
before the execution has ended. A full ring drops events and counts them, and a trace with
dropped events is never judged (`TraceOverflow`): a missing event could be the decisive one.

    offset 0   u32  events written
    offset 4   u32  events dropped
    offset 8   events, `event.EVENT_RECORD` each

`merge` orders the events of all rings by their turn. Within one turn only one process runs, so
the order is total.
"""

from __future__ import annotations

from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import TraceOverflow
from vblkfuzz.limits import TRACE_EVENTS_MAX
from vblkfuzz.trace.event import EVENT_RECORD, NO_QUEUE, Event

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADER_BYTES: Final = 8
RING_BYTES: Final = HEADER_BYTES + TRACE_EVENTS_MAX * EVENT_RECORD.size

_pack_into = EVENT_RECORD.pack_into
_RECORD_BYTES: Final = EVENT_RECORD.size
_new_event = partial(tuple.__new__, Event)
_turn_of = itemgetter(0)


class TraceRing:
    """Single-writer event ring over `RING_BYTES` bytes of shared memory."""

    __slots__ = ("_count", "_counters", "_records", "_view", "turn")

    def __init__(self, view: memoryview) -> None:
        self._view = view[:RING_BYTES]
        self._counters = self._view[:HEADER_BYTES].cast("I")
        self._records = self._view[HEADER_BYTES:]
        self._count = 0
        self.turn = 0
        """Turn stamped on the next event; the scheduler advances it."""

    def clear(self) -> None:
        """Forget all events. Writer's side, at the start of an execution."""
        self._count = 0
        self.turn = 0
        self._counters[0] = 0
        self._counters[1] = 0

    def emit(  # noqa: PLR0913 -- these are the fields of an event
        self,
        kind: int,
        actor: int,
        queue: int = NO_QUEUE,
        flag: int = 0,
        head: int = 0,
        request: int = 0,
        epoch: int = 0,
        value: int = 0,
        path: int = 0,
    ) -> None:
        """Write one event. The count follows the record, so a killed writer leaves whole rows."""
        count = self._count
        if count == TRACE_EVENTS_MAX:
            self._counters[1] += 1
            return
        _pack_into(
            self._records,
            count * _RECORD_BYTES,
            self.turn,
            kind,
            actor,
            queue,
            flag,
            head,
            request,
            epoch,
            value,
            path,
        )
        self._count = self._counters[0] = count + 1

    def read(self) -> list[Event]:
        """Return all events written. Reader's side, after the execution."""
        end = self._counters[0] * EVENT_RECORD.size
        return list(map(_new_event, EVENT_RECORD.iter_unpack(self._records[:end])))

    @property
    def dropped(self) -> int:
        """Events that found the ring full."""
        return self._counters[1]


def merge(rings: Sequence[TraceRing]) -> tuple[Event, ...]:
    """Return the events of all rings in one order.

    Raises:
        TraceOverflow: a ring dropped events.
    """
    dropped = sum(ring.dropped for ring in rings)
    if dropped:
        raise TraceOverflow(f"{dropped} events found a trace ring full: no verdict")
    events = [event for ring in rings for event in ring.read()]
    events.sort(key=_turn_of)
    return tuple(events)
