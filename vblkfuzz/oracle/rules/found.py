"""The rule of what is found: S52. The driver finds each request that the device has returned.

A device may lose one although its own numbers add up: a used entry is not written, its index does
not reach memory, or a used descriptor of a packed ring lies where the driver does not look next, or
has the marks of another lap. A driver takes used entries in the order of the ring, so it finds
those behind a lost one as little.

The driver looks at a queue when it collects; CALLED says at which. What it does not find then it
will not find later. Two things are no fault of the device: a store that the schedule delays is not
visible yet, so with delays only the last look counts, when all has settled; and the driver takes 64
entries at most each time. Source: virtio 1.2, 2.7.8.2 and 2.8.6.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vblkfuzz.limits import MAX_COLLECTED
from vblkfuzz.oracle.naming.consequence import REQUEST_GOES_ON
from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.scenario.alphabet.ops import CODES
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import (
    CALLED,
    COLLECT,
    END,
    HOSTILE,
    OP,
    PUBLISH,
    PUSH,
    QUEUE_RESET,
    RESET_RET,
)

FOUND_TWO = Situation("two_found", "The driver found two requests in one look.")

_COLLECTS: Final = CODES["collect"]


class _Queues:
    """What was returned and not found, by queue and head, in the order of the pushes."""

    def __init__(self, *, delays: bool) -> None:
        self._delays = delays
        self._returned: dict[tuple[int, int], Event] = {}
        self._before: dict[tuple[int, int], Event] = {}
        """Those of `_returned` that were there when the driver began to look."""
        self._looked: set[int] = set()
        self._found = 0
        self._hostile: set[int] = set()

    def note(self, event: Event, report: Report) -> None:
        """Process an event that neither begins nor ends an operation."""
        kind, key = event.kind, (event.queue, event.head)
        if kind == PUSH:
            if event.queue not in self._hostile:
                self._returned.setdefault(key, event)
        elif kind == COLLECT:
            self._returned.pop(key, None)
            self._before.pop(key, None)
            self._found += 1
            if self._found == 2:
                report.met(FOUND_TWO)
        elif kind == CALLED:
            self._looked.add(event.queue)
        elif kind in (HOSTILE, PUBLISH):
            if kind == HOSTILE or event.flag == 1:
                self._hostile.add(event.queue)
                self._forget(event.queue)
        elif kind == RESET_RET:
            self._returned, self._before, self._hostile = {}, {}, set()
        else:
            self._hostile.discard(event.queue)
            self._forget(event.queue)

    def _forget(self, queue: int) -> None:
        self._returned = {key: push for key, push in self._returned.items() if key[0] != queue}
        self._before = {key: push for key, push in self._before.items() if key[0] != queue}

    def begin(self, operation: Event) -> None:
        """An operation begins: if the driver looks now, it must find what was returned."""
        looks = operation.flag == _COLLECTS and (operation.head or not self._delays)
        self._before = dict(self._returned) if looks else {}
        self._looked.clear()
        self._found = 0

    def missed(self) -> Event | None:
        """Return the first push that the operation that ends now should have found."""
        if self._found >= MAX_COLLECTED:
            return None
        return next((push for push in self._before.values() if push.queue in self._looked), None)


@rule(
    "S52",
    title="The driver finds each request that the device has returned.",
    source="virtio 1.2, 2.7.8.2 and 2.8.6",
    instead="The device writes each used entry to the next place of the ring, and shows it there.",
    needs=(OP, PUBLISH, PUSH, COLLECT, CALLED, HOSTILE, RESET_RET, QUEUE_RESET, END),
    situations=(FOUND_TWO,),
    path="none",
    leads_to=(*REQUEST_GOES_ON, "L1"),
)
def S52(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """A request counts from its push to its reset; of a partial trace the last look is left out."""
    queues = _Queues(delays=any(each.delayed for each in scenario.schedule))
    for event in events:
        if event.kind not in (OP, END):
            queues.note(event, report)
            continue
        push = queues.missed()
        if push is not None:
            _report(push, event, report)
        queues.begin(event)


def _report(push: Event, end: Event, report: Report) -> None:
    sentence = (
        f"Head {push.head} was pushed to queue {push.queue} at turn {push.turn}, but the driver "
        f"looked at that queue before turn {end.turn} and did not find it."
    )
    report.violation(push, end, sentence)
