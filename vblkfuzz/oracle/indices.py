"""The rule of the numbers that both sides count: S7.

Requests in use, last_avail (how far the device has dequeued) and used idx of each queue. Indices
wrap at 16 bits and start at 0 in each epoch. Source: virtio 1.2, 2.7.6 and 2.7.8; QEMU
virtqueue_pop, virtqueue_fill, virtio_reset.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from vblkfuzz.oracle.cause import last_before
from vblkfuzz.oracle.kinds import (
    CANCEL,
    HOSTILE,
    POP,
    PUBLISH,
    PUSH,
    QUEUE_RESET,
    RESET_CALL,
    RESET_RET,
)
from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event, EventKind

THREE_IN_USE = Situation("three_in_use", "Three requests of one queue were in use at once.")
RESET_IN_USE = Situation("reset_with_requests_in_use", "A reset began with requests in use.")

_U16: Final = 0xFFFF
_HALF: Final = 0x8000
"""An index is ahead of another one if it is less than half the range away."""


class _Ring:
    """What one queue's numbers should be."""

    __slots__ = ("hostile", "in_use", "published", "pushes")

    def __init__(self) -> None:
        self.in_use = 0
        self.published = 0
        self.pushes = 0
        self.hostile = False


class _Books:
    """The numbers of all queues in the current epoch."""

    __slots__ = ("broken", "owned", "rings")

    def __init__(self) -> None:
        self.rings: defaultdict[int, _Ring] = defaultdict(_Ring)
        self.owned: dict[int, Event] = {}
        """Pops of the requests in use, by request."""
        self.broken = False

    def note(self, event: Event, report: Report) -> None:
        """Take note of an event other than publish, pop and push."""
        if event.kind == CANCEL:
            self._cancel(event)
        elif event.kind == RESET_CALL:
            if self.owned:
                report.met(RESET_IN_USE)
        elif event.kind == RESET_RET:
            self._end_epoch(event, report)
        elif event.kind == QUEUE_RESET:
            self._reset_queue(event.queue)
        elif event.kind == HOSTILE:
            self.rings[event.queue].hostile = True
        else:  # BROKEN
            self.broken = True

    def _cancel(self, cancel: Event) -> None:
        pop = self.owned.pop(cancel.request, None)
        if pop is not None:
            self.rings[pop.queue].in_use -= 1

    def _end_epoch(self, ret: Event, report: Report) -> None:
        if self.owned and not self.broken:
            pop = next(iter(self.owned.values()))
            report.violation(
                pop,
                ret,
                f"Request {pop.request}, popped at turn {pop.turn}, was neither pushed nor "
                f"cancelled when the reset returned at turn {ret.turn}.",
                "left_in_use",
            )
        self.owned.clear()
        self.rings.clear()
        self.broken = False

    def _reset_queue(self, queue: int) -> None:
        hostile = self.rings[queue].hostile
        self.rings[queue] = _Ring()
        self.rings[queue].hostile = hostile
        for request, pop in list(self.owned.items()):
            if pop.queue == queue:
                del self.owned[request]


@rule(
    "S7",
    title="Requests in use, last_avail and used idx add up on every queue.",
    source="virtio 1.2, 2.7.6 and 2.7.8; QEMU VirtQueue.inuse, virtio_reset",
    instead=(
        "Each pop is followed by one push or cancel, and a reset sets in use, last_avail and "
        "used idx back to 0."
    ),
    needs=(
        EventKind.PUBLISH,
        EventKind.POP,
        EventKind.PUSH,
        EventKind.CANCEL,
        EventKind.HOSTILE,
        EventKind.BROKEN,
        EventKind.QUEUE_RESET,
        EventKind.RESET_CALL,
        EventKind.RESET_RET,
    ),
    situations=(THREE_IN_USE, RESET_IN_USE),
)
def S7(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """In use = pops - pushes - cancels, within the queue size and 0 when a reset returns.

    A device that found the ring broken may drop requests without a word. How far the guest has
    published is not known any more once it broke the protocol on that queue.
    """
    size = scenario.device.queue_size
    books = _Books()
    rings = books.rings
    owned = books.owned
    for event in events:
        kind = event.kind
        if kind == PUBLISH:
            ring = rings[event.queue]
            ring.published = event.value
            ring.hostile = ring.hostile or event.flag == 1
        elif kind == POP:
            owned[event.request] = event
            ring = rings[event.queue]
            ring.in_use += 1
            if ring.in_use > 2:
                report.met(THREE_IN_USE)
            if ring.in_use > size or (ring.published - event.value) & _U16 >= _HALF:
                _report_pop(event, ring, size, events, report)
        elif kind == PUSH:
            owned.pop(event.request, None)
            ring = rings[event.queue]
            ring.in_use -= 1
            ring.pushes += 1
            if ring.in_use < 0 or event.value != ring.pushes & _U16:
                _report_push(event, ring, events, report)
        else:
            books.note(event, report)


def _report_pop(
    pop: Event, ring: _Ring, size: int, events: Sequence[Event], report: Report
) -> None:
    if ring.in_use > size:
        first = last_before(pop, events, _POPS)
        sentence = (
            f"The pop at turn {pop.turn} took queue {pop.queue}, full since turn {first.turn}, to "
            f"{ring.in_use} requests in use; it has {size} entries."
        )
        report.violation(first, pop, sentence, "in_use")
    elif not ring.hostile:
        first = last_before(pop, events, _PUBLISHES)
        sentence = (
            f"The pop at turn {pop.turn} took queue {pop.queue} to avail idx {pop.value}; the "
            f"guest had published up to {ring.published} (turn {first.turn})."
        )
        report.violation(first, pop, sentence, "last_avail")


def _report_push(push: Event, ring: _Ring, events: Sequence[Event], report: Report) -> None:
    first = last_before(push, events, _RETURNS)
    if ring.in_use < 0:
        state = "in_use_negative"
        what = f"took queue {push.queue} to {ring.in_use} requests in use"
    else:
        state = "used_idx"
        what = f"set the used idx of queue {push.queue} to {push.value} instead of {ring.pushes}"
    sentence = f"The push at turn {push.turn} {what}; the last change was at turn {first.turn}."
    report.violation(first, push, sentence, state)
    ring.pushes = push.value  # the next push counts on from what the guest sees


_POPS: Final = frozenset({POP})
_PUBLISHES: Final = frozenset({PUBLISH, RESET_RET, QUEUE_RESET})
_RETURNS: Final = frozenset({PUSH, CANCEL, RESET_RET, QUEUE_RESET})
