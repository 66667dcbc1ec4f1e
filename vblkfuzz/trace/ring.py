"""The event ring: the events of one process.

Each process of a worker has one ring in the arena and is its only writer. The ring is read after
the execution has ended. The writer collects events in a list, and `publish` moves them into shared
memory: packing many at once takes a third of the time, and `inline` mode does not need it. A full
ring drops events and counts them. A trace with dropped events is not judged (`TraceOverflow`),
because a violation could depend on one of them.

    offset 0   u32  events written
    offset 4   u32  events dropped
    offset 8   events, `event.EVENT_RECORD` each

`merge` orders the events of all rings by their turn. Within one turn only one process runs, so
the order is total.
"""

from __future__ import annotations

from itertools import chain, starmap
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import TraceOverflow
from vblkfuzz.limits import TRACE_EVENTS_MAX
from vblkfuzz.trace.event import EVENT_RECORD, NO_QUEUE, ActorId, Event, as_events
from vblkfuzz.trace.kinds import OP

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADER_BYTES: Final = 8
RING_BYTES: Final = HEADER_BYTES + TRACE_EVENTS_MAX * EVENT_RECORD.size

_pack = EVENT_RECORD.pack
_new = tuple.__new__
_RECORD_BYTES: Final = EVENT_RECORD.size
_turn_of = itemgetter(0)


class TraceRing:
    """Single-writer event ring over `RING_BYTES` bytes of shared memory."""

    __slots__ = ("_counters", "_records", "_unpublished", "_view", "turn")

    def __init__(self, view: memoryview) -> None:
        self._view = view[:RING_BYTES]
        self._counters = self._view[:HEADER_BYTES].cast("I")
        self._records = self._view[HEADER_BYTES:]
        self._unpublished: list[Event] = []
        self.turn = 0
        """Turn of the next event; the scheduler advances it."""

    def clear(self) -> None:
        """Remove all events. The writer calls this at the start of an execution."""
        self._unpublished.clear()
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
        length: int = 0,
    ) -> None:
        """Write one event.

        Raises:
            ValueError: `value` is above 65535; without this check only `publish` would fail.
        """
        events = self._unpublished
        if len(events) >= TRACE_EVENTS_MAX:
            self._counters[1] += 1
            return
        if value >> 16:
            raise ValueError(f"value of an event: expected 0..65535, found {value}")
        # Unary plus turns an enum member, whose hash differs, into a plain int. Not `Event(...)`:
        # that takes twice the time.
        events.append(
            _new(
                Event,
                (self.turn, +kind, +actor, queue, +flag, head, request, epoch, value, path, length),
            )
        )

    @property
    def written(self) -> int:
        """Events written and not published yet."""
        return len(self._unpublished)

    def cut(self, count: int) -> None:
        """Forget the events that were written after the first `count` unpublished ones."""
        del self._unpublished[count:]

    def forget_turn(self) -> None:
        """Forget the unpublished events that the device has written in this turn.

        What the guest did, and which operation began, is kept.
        """
        self._unpublished[:] = [
            event
            for event in self._unpublished
            if event[0] != self.turn or event[1] == OP or event[2] == ActorId.GUEST
        ]

    def publish(self) -> None:
        """Move the events into shared memory. The writer calls this before it hands over."""
        events = self._unpublished
        if not events:
            return
        count = self._counters[0]
        records = b"".join(starmap(_pack, events[: TRACE_EVENTS_MAX - count]))
        start, end = count * _RECORD_BYTES, count * _RECORD_BYTES + len(records)
        self._records[start:end] = records
        self._counters[0] = written = end // _RECORD_BYTES
        self._counters[1] += count + len(events) - written
        events.clear()

    def read(self) -> list[Event]:
        """Return all events: those in shared memory, then those this process has not published."""
        end = self._counters[0] * _RECORD_BYTES
        if not end:  # as always in `inline` mode
            return self._unpublished[:]
        return as_events(EVENT_RECORD.iter_unpack(self._records[:end])) + self._unpublished

    def after(self, count: int) -> list[Event]:
        """Return the events after the first `count` ones, published or not."""
        published = self._counters[0]
        records = self._records[count * _RECORD_BYTES : published * _RECORD_BYTES]
        unpublished = self._unpublished[max(count - published, 0) :]
        return as_events(EVENT_RECORD.iter_unpack(records)) + unpublished

    @property
    def dropped(self) -> int:
        """Number of events that were dropped because the ring was full."""
        return self._counters[1]


def merge(rings: Sequence[TraceRing]) -> tuple[Event, ...]:
    """Return the events of all rings, ordered by turn. Within a turn only one process runs.

    Raises:
        TraceOverflow: a ring dropped events.
    """
    dropped = sum([ring.dropped for ring in rings])
    if dropped:
        raise TraceOverflow(f"{dropped} events found a trace ring full: no verdict")
    runs = [run for ring in rings if (run := ring.read())]
    if len(runs) == 1:
        return tuple(runs[0])
    return tuple(sorted(chain.from_iterable(runs), key=_turn_of))
