"""A trace that was too long because an actor does the same again and again.

A full ring has dropped events, and nobody knows what they were, so there is no verdict. But where
the execution was ended by its limit of steps, and the last events that the ring took are a loop of
one actor, the rest was the same loop: the trace ends there, as one that did not settle (L5).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Final

from vblkfuzz.limits import MAX_STEPS, TRACE_EVENTS_MAX
from vblkfuzz.trace.event import ActorId, Event
from vblkfuzz.trace.kinds import OP, STEP_LIMIT
from vblkfuzz.trace.ring import TraceRing, merge

_LAST: Final = 1024
"""So many events at the end of a full ring have to be the loop."""
_LONGEST: Final = 256
"""Events of one round at most."""


def events_of(rings: Sequence[TraceRing], steps: int) -> tuple[Event, ...]:
    """Return the events of an execution that took so many steps, ordered by turn.

    Raises:
        TraceOverflow: a ring dropped events, and they are not known to be a loop.
    """
    full = [ring.read()[:TRACE_EVENTS_MAX] for ring in rings if ring.dropped]
    if steps < MAX_STEPS or not full or not all(map(is_loop, full)):
        return merge(rings)
    end = min(events[-1].turn for events in full)
    known = chain.from_iterable(ring.read() for ring in rings)
    kept = sorted((event for event in known if event.turn <= end), key=lambda event: event.turn)
    # Inline all actors share a ring, so it has room for fewer events of each.
    kept = kept[:TRACE_EVENTS_MAX]
    return (*kept, Event(kept[-1].turn, STEP_LIMIT, ActorId.HARNESS))


def is_loop(events: Sequence[Event]) -> bool:
    """Return whether the last events are rounds of one actor, within one operation."""
    last = [(event.kind, event.actor, event.queue, event.flag) for event in events[-_LAST:]]
    actors, kinds = ({each[at] for each in last} for at in (1, 0))
    if len(last) < _LAST or len(actors) > 1 or OP in kinds:
        return False
    return any(last[period:] == last[:-period] for period in range(1, _LONGEST + 1))
