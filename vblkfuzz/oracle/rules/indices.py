"""The rule of the numbers of a queue: S7.

These are the requests in use, last_avail (how far the device has dequeued) and the used idx.
Indices wrap at 16 bits; in each epoch they start at the index in DRIVER_INIT. A device with a wrong
number may find a good ring invalid, so BROKEN without a fault of the driver is a violation, too.
Source: virtio 1.2, 2.7.6 and 2.7.8; QEMU virtqueue_pop, virtqueue_fill, virtio_reset, virtio_error.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from vblkfuzz.oracle.ended import ended
from vblkfuzz.oracle.naming.circumstance import left_in_use
from vblkfuzz.oracle.naming.consequence import REQUEST_GOES_ON
from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.oracle.rules.cause import last_before
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import (
    BROKEN,
    CANCEL,
    DRIVER_INIT,
    HOSTILE,
    POP,
    PUBLISH,
    PUSH,
    QUEUE_RESET,
    RESET_CALL,
    RESET_RET,
    RETRY,
)
from vblkfuzz.virtio.request.blk import BlkStatus
from vblkfuzz.virtio.ring_error import QueueSizeExceeded

# Looked up once: these are needed some six times an execution (docs/decisions/0010).
_IOERR: Final = BlkStatus.IOERR

THREE_IN_USE = Situation("three_in_use", "Three requests of one queue were in use at once.")
RESET_IN_USE = Situation("reset_with_requests_in_use", "A reset began with requests in use.")

_U16: Final = 0xFFFF
_HALF: Final = 0x8000
"""An index is ahead of another one if it is less than half the range away."""


class _Ring:
    """The right numbers of one queue."""

    __slots__ = ("failed", "hostile", "in_use", "last_avail", "published", "retried", "used")

    def __init__(self, first: int) -> None:
        self.in_use = 0
        self.failed = 0
        """Number of pushes with status IOERR."""
        self.retried = 0
        """How often a request was put on the retry list."""
        self.published = first
        self.last_avail = first
        self.used = first
        self.hostile = False

    def full_by(self, size: int) -> str:
        """Return the kind of leaked requests that makes the ring seem full: failed or retried.

        Empty if none or both of them would explain it.
        """
        failed = self.in_use + self.failed == size
        retried = self.in_use + self.retried >= size
        return "" if failed is retried else "-failed" if failed else "-retried"


class _Books:
    """The right numbers of all queues in the current epoch."""

    __slots__ = (
        "_begun",
        "_behind",
        "_first",
        "_hostile",
        "_init",
        "_size",
        "broken",
        "owned",
        "rings",
    )

    def __init__(self, size: int) -> None:
        self._size = size
        self._first = 0
        self.rings: defaultdict[int, _Ring] = defaultdict(lambda: _Ring(self._first))
        self.owned: dict[int, Event] = {}
        """Pops of the requests in use, by request."""
        self.broken = False
        self._hostile = False
        self._begun: Event | None = None
        """The last begin of a set-up by the driver, unless the system was reset since."""
        self._behind = False
        """Whether the system was reset, and the driver has not reset the device since."""
        self._init: Event | None = None
        """`_begun`, if the driver has kept to the protocol since."""

    def note(self, event: Event, report: Report) -> None:
        """Process an event of a rare kind."""
        kind = event.kind
        if kind == CANCEL:
            self._cancel(event)
        elif kind == RESET_CALL:
            if event.flag:  # of the system or by an unplug
                self._init, self._begun, self._behind = None, None, True
            if self.owned:
                report.met(RESET_IN_USE)
        elif kind == RESET_RET:
            self._end_epoch(event, report)
        elif kind == QUEUE_RESET:
            self._reset_queue(event.queue)
        elif kind == RETRY:
            self.rings[event.queue].retried += 1
        elif kind == HOSTILE:
            self._hostile = self.rings[event.queue].hostile = True
        else:  # BROKEN
            self.broken = True
            if self._init is not None and not self._hostile:
                _report_broken(self._init, event, f"broken{self._leak(event)}", report)

    def set_up(self, event: Event) -> None:
        """Process the begin or the end of a set-up by the driver."""
        if event.flag == 0:
            self._begun, self._first = event, event.value
        if event.flag or not self._behind:
            self._trust()

    def _trust(self) -> None:
        """Expect the driver, if it has begun a set-up, to keep to the protocol from now on."""
        if self._begun is not None:
            self._init, self._behind = self._begun, False

    def _leak(self, broken: Event) -> str:
        """Return the kind of leaked requests that makes a ring seem full; empty if unknown."""
        if broken.value != QueueSizeExceeded.code:
            return ""
        leaks = {ring.full_by(self._size) for ring in self.rings.values()} - {""}
        return leaks.pop() if len(leaks) == 1 else ""

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
                f"cancelled when the {ended(ret)} returned at turn {ret.turn}.",
                "left_in_use",
            )
        self.owned.clear()
        self.rings.clear()
        self.broken = self._hostile = False
        self._trust()

    def _reset_queue(self, queue: int) -> None:
        hostile = self.rings[queue].hostile
        self.rings[queue] = _Ring(self._first)
        self.rings[queue].hostile = hostile
        for request, pop in list(self.owned.items()):
            if pop.queue == queue:
                del self.owned[request]


@rule(
    "S7",
    title="Requests in use, last_avail and used idx add up; no good driver breaks the device.",
    source="virtio 1.2, 2.7.6 and 2.7.8; QEMU VirtQueue.inuse, virtio_reset, virtio_error",
    instead=(
        "Each pop is followed by one push or cancel, and a reset sets in use, last_avail and "
        "used idx back to 0."
    ),
    needs=(
        PUBLISH,
        POP,
        PUSH,
        CANCEL,
        RETRY,
        HOSTILE,
        DRIVER_INIT,
        BROKEN,
        QUEUE_RESET,
        RESET_CALL,
        RESET_RET,
    ),
    situations=(THREE_IN_USE, RESET_IN_USE),
    handlers_alike=True,
    leads_to=(*REQUEST_GOES_ON, "S10"),
    # a head that is popped twice is pushed twice
    leads_to_in={"not_in_order": ("S6",)},
    circumstance=left_in_use,
)
def S7(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """In use = pops - pushes - cancels, within the queue size and 0 when a reset returns.

    Each pop adds one to last_avail, which stays within what is published; each push adds one to the
    used idx. A broken device may drop requests without a CANCEL. On a queue where the guest broke
    the protocol, it is not known how far the guest has published.
    """
    size = scenario.device.queue_size
    books = _Books(size)
    rings = books.rings
    owned = books.owned
    for event in events:
        kind = event.kind
        if kind == PUBLISH:
            ring = rings[event.queue]
            ring.published = event.value
            if event.flag == 1:
                ring.hostile = True
        elif kind == POP:
            owned[event.request] = event
            ring = rings[event.queue]
            ring.in_use = in_use = ring.in_use + 1
            ring.last_avail = last_avail = (ring.last_avail + 1) & _U16
            if in_use > 2:
                report.met(THREE_IN_USE)
            ahead = (ring.published - event.value) & _U16 >= _HALF
            if ahead or event.value != last_avail or in_use > size:
                _report_pop(event, ring, size, events, report)
        elif kind == PUSH:
            owned.pop(event.request, None)
            ring = rings[event.queue]
            ring.in_use = in_use = ring.in_use - 1
            ring.used = used = (ring.used + 1) & _U16
            if event.flag == _IOERR:
                ring.failed += 1
            if in_use < 0 or event.value != used:
                _report_push(event, ring, events, report)
        elif kind == DRIVER_INIT:
            books.set_up(event)
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
    elif pop.value != ring.last_avail:
        first = last_before(pop, events, _TAKES)
        sentence = (
            f"The pop at turn {pop.turn} took queue {pop.queue} to avail idx {pop.value} instead "
            f"of {ring.last_avail}; the last change was at turn {first.turn}."
        )
        report.violation(first, pop, sentence, "not_in_order")
        ring.last_avail = pop.value  # the next pop is compared with this one
    elif not ring.hostile:
        first = last_before(pop, events, _PUBLISHES)
        sentence = (
            f"The pop at turn {pop.turn} took queue {pop.queue} to avail idx {pop.value}; the "
            f"guest had published up to {ring.published} (turn {first.turn})."
        )
        report.violation(first, pop, sentence, "last_avail")


def _report_broken(init: Event, broken: Event, state: str, report: Report) -> None:
    sentence = (
        f"The device was broken at turn {broken.turn}, although the driver that set it up at turn "
        f"{init.turn} had kept to the protocol."
    )
    report.violation(init, broken, sentence, state)


def _report_push(push: Event, ring: _Ring, events: Sequence[Event], report: Report) -> None:
    first = last_before(push, events, _RETURNS)
    if ring.in_use < 0:
        state = "in_use_negative"
        what = f"took queue {push.queue} to {ring.in_use} requests in use"
    else:
        state = "used_idx"
        what = f"set the used idx of queue {push.queue} to {push.value} instead of {ring.used}"
    sentence = f"The push at turn {push.turn} {what}; the last change was at turn {first.turn}."
    report.violation(first, push, sentence, state)
    ring.used = push.value  # the next push is compared with what the guest sees


_POPS: Final = frozenset({POP})
_TAKES: Final = frozenset({POP, RESET_RET, QUEUE_RESET})
_PUBLISHES: Final = frozenset({PUBLISH, RESET_RET, QUEUE_RESET})
_RETURNS: Final = frozenset({PUSH, CANCEL, RESET_RET, QUEUE_RESET})
