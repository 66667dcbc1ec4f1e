"""What the schedule did to a violation: events that it overtook, and stores that it delayed.

A deviation overtakes the actor that would have gone on: its last event before, and its first one
after. A thread of a real device that was held is overtaken by all that happens between HELD and
GOES_ON. A delayed store is overtaken by all that happens between STORES_DELAYED and STORES_SEEN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.trace.event import NO_QUEUE
from vblkfuzz.trace.schedule_kinds import GOES_ON, HELD, STORES_DELAYED, STORES_SEEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vblkfuzz.oracle.violation import Violation
    from vblkfuzz.trace.event import Event
    from vblkfuzz.trace.trace import Trace

Pair = tuple[int, ...]
"""Places in a trace: where an actor was held up, and where it went on."""

_STORES: Final = frozenset({STORES_DELAYED, STORES_SEEN})


def overtaken(violation: Violation, trace: Trace) -> set[int]:
    """Return the places in `trace` of what was overtaken and has to do with a violation.

    That is what lies between its two events, and what touches a queue of theirs.
    """
    events = trace.events
    first, last = sorted((events.index(violation.first), events.index(violation.second)))
    queues = {violation.first.queue, violation.second.queue} - {NO_QUEUE}
    return {
        place
        for pair in (*_held_up(trace), *_held(events), *_delayed(events))
        if _overlaps(pair, first, last) or any(events[each].queue in queues for each in pair)
        for place in pair
        if place <= last
    }


def _overlaps(pair: Pair, first: int, last: int) -> bool:
    return pair[0] <= last and pair[-1] >= first


def _held_up(trace: Trace) -> Iterator[Pair]:
    """Yield, for each deviation, the events of the actor around it."""
    for turn, actor in trace.overtaken:
        own = [place for place, each in enumerate(trace.events) if each.actor == actor]
        before = [place for place in own if trace.events[place].turn <= turn][-1:]
        after = [place for place in own if trace.events[place].turn > turn][:1]
        if before or after:
            yield (*before, *after)


def _held(events: tuple[Event, ...]) -> Iterator[Pair]:
    """Yield, for each thread of a real device that was held, where it stops and goes on."""
    for place, held in enumerate(events):
        if held.kind == HELD:
            ends = [
                at
                for at, each in enumerate(events)
                if at > place and each.kind == GOES_ON and each.head == held.head
            ]
            yield (place, *ends[:1])


def _delayed(events: tuple[Event, ...]) -> Iterator[Pair]:
    """Yield, for each delay, the last event before it, where it begins and where it ends."""
    for place, delay in enumerate(events):
        if delay.kind != STORES_DELAYED:
            continue
        own = [at for at, each in enumerate(events) if each.actor == delay.actor]
        before = [at for at in own if at < place and events[at].kind not in _STORES][-1:]
        seen = [at for at in own if at > place and events[at].kind == STORES_SEEN][:1]
        yield (*before, place, *seen)
