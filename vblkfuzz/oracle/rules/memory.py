"""The rule of guest memory: S24. The device writes only what the driver has lent to it.

That is the used ring of a queue that is set up, and the writable buffers of a request from its
chain to its used entry. The guest itself compares its memory with what it must contain
(`driver.memory_watch`) and records each change as MEMORY_CHANGED, so the rule needs no event of the
device. After hostile ring contents it still holds, except for memory that they make writable
(`driver.hostile.opened`). Source: virtio 1.2, 2.4, 2.6.1, 2.7.4, 2.7.5.1, 2.7.6, 2.7.8.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.ending import FOREIGN
from vblkfuzz.trace.event import Event, Frame
from vblkfuzz.trace.kinds import (
    COLLECT,
    MEMORY_CHANGED,
    PUBLISH,
    QUEUE_RESET,
    RESET_CALL,
    RESET_RET,
)
from vblkfuzz.trace.place import Place
from vblkfuzz.trace.witness import Witness

LOOKED = Situation(
    "memory_compared", "The guest compared its memory at a reset, after it had collected a request."
)
LOOKED_LATER = Situation(
    "memory_compared_after_reset", "The guest compared its memory after a reset."
)

_REQUEST: Final = "the request with head {head} of queue {queue}"
_PUBLISHED: Final = f"{_REQUEST}, published at turn {{since}}: the guest found"

_SENTENCES: Final = {
    Place.UNUSED: "memory that the guest never gave to it: the guest found it changed",
    Place.PAST_BUFFER: f"memory past a buffer of {_PUBLISHED} byte {{nth}} after its end changed",
    Place.BEFORE_BUFFER: f"memory before a buffer of {_PUBLISHED} byte {{nth}} before it changed",
    Place.HEADER: f"the header of {_PUBLISHED} its byte {{offset}} changed",
    Place.READABLE_DATA: f"a buffer that it may only read, of {_PUBLISHED} byte {{offset}} changed",
    Place.INDIRECT_TABLE: f"the indirect table of {_PUBLISHED} its byte {{offset}} changed",
    Place.DESCRIPTORS: (
        "the descriptor table of queue {queue}: the guest found its byte {offset} changed"
    ),
    Place.AVAIL_RING: (
        "the available ring of queue {queue}: the guest found its byte {offset} changed"
    ),
    Place.COLLECTED: (
        f"memory of {_REQUEST} after the guest had collected it at turn {{since}}: the guest found "
        "byte {offset} of it changed"
    ),
    Place.AFTER_RESET: (
        f"memory of {_REQUEST} after the reset that ended it returned at turn {{since}}: the guest "
        "found byte {offset} of it changed"
    ),
    Place.AFTER_QUEUE_RESET: (
        f"memory of {_REQUEST} after the reset of that queue returned at turn {{since}}: the guest "
        "found byte {offset} of it changed"
    ),
    Place.RINGS_AFTER_RESET: (
        "the rings of queue {queue} after the reset that took them away returned at turn {since}: "
        "the guest found their byte {offset} changed"
    ),
    Place.RINGS_AFTER_QUEUE_RESET: (
        "the rings of queue {queue} after the reset of that queue returned at turn {since}: the "
        "guest found their byte {offset} changed"
    ),
}
"""How a sentence about a change in a place goes on: what the device wrote into."""


@rule(
    "S24",
    title="The device writes only the used ring and the writable buffers of requests in use.",
    source="virtio 1.2, 2.4, 2.6.1, 2.7.4, 2.7.5.1, 2.7.6, 2.7.8",
    instead=(
        "The device writes nothing beside a buffer, nothing that is the driver's, and nothing "
        "after the used entry or the reset that gives the memory back."
    ),
    needs=(COLLECT, MEMORY_CHANGED, QUEUE_RESET, RESET_CALL),
    situations=(LOOKED, LOOKED_LATER),
    decisive=(MEMORY_CHANGED, QUEUE_RESET, RESET_CALL),
    witnesses=Witness.GUEST,
    path="none",
    leads_to=("S14", "S24"),
    leads_to_in={"descriptors": ("S52",)},  # a used descriptor where the driver does not look
)
def S24(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """Each MEMORY_CHANGED is a violation; other events say since when it is one.

    A trace with neither such an event nor a reset is not read, for speed: most are like that.
    """
    collected = later = False
    for event in events:
        kind = event.kind
        if kind == COLLECT:
            collected = collected or event.flag != FOREIGN
            if later and event.flag != FOREIGN:
                report.met(LOOKED_LATER)
        elif kind == MEMORY_CHANGED:
            _report(event, report)
        elif kind == QUEUE_RESET or (kind == RESET_CALL and not event.flag):
            later = True
            if collected:
                report.met(LOOKED)


def _report(change: Event, report: Report) -> None:
    place = Place(change.flag) if change.flag in _NUMBERS else Place.UNUSED
    first = _since(place, change, report.events)
    what = _SENTENCES[place].format(
        queue=change.queue,
        head=change.head,
        offset=change.value,
        nth=change.value + 1,
        since=first.turn,
    )
    sentence = f"The device wrote into {what} at turn {change.turn}."
    report.violation(first, change, sentence, _cause(place, first).name.lower())


def _cause(place: Place, since: Event) -> Place:
    """Return the place that names the bug: some devices reset a queue by a plain reset."""
    plain = since.kind == QUEUE_RESET and since.path == Frame.RESET
    return _BY_RESET.get(place, place) if plain else place


def _since(place: Place, change: Event, events: Sequence[Event]) -> Event:
    """Return the event since which a change there is wrong; the change itself if there is none."""
    kind = _SINCE.get(place)
    found, by_driver = change, True
    for event in events:
        if event is change:
            break
        if event.kind == RESET_CALL:
            by_driver = not event.flag  # it does not notice the others, and takes no memory back
        elif event.kind == kind and _concerns(event, change, by_driver):
            found = event
    return found


def _concerns(event: Event, change: Event, by_driver: bool) -> bool:
    if event.kind in _OF_A_REQUEST:
        return (event.queue, event.head) == (change.queue, change.head)
    return by_driver if event.kind == RESET_RET else event.queue == change.queue


_NUMBERS: Final = frozenset(map(int, Place))
_BY_RESET: Final = {
    Place.AFTER_QUEUE_RESET: Place.AFTER_RESET,
    Place.RINGS_AFTER_QUEUE_RESET: Place.RINGS_AFTER_RESET,
}
_OF_A_REQUEST: Final = frozenset({PUBLISH, COLLECT})
_SINCE: Final = {
    Place.PAST_BUFFER: PUBLISH,
    Place.BEFORE_BUFFER: PUBLISH,
    Place.HEADER: PUBLISH,
    Place.READABLE_DATA: PUBLISH,
    Place.INDIRECT_TABLE: PUBLISH,
    Place.COLLECTED: COLLECT,
    Place.AFTER_RESET: RESET_RET,
    Place.AFTER_QUEUE_RESET: QUEUE_RESET,
    Place.RINGS_AFTER_RESET: RESET_RET,
    Place.RINGS_AFTER_QUEUE_RESET: QUEUE_RESET,
}
"""Kind of the event since which a change in a place is wrong."""
