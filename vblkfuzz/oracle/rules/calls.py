"""The rule of calls: L4. No interrupt is lost.

The driver chooses the used entries that need a call: with EVENT_IDX the one at used_event, without
it all of them, unless NO_INTERRUPT is set. The push of such an entry must be followed by a call: a
driver that sleeps until then is not woken otherwise. The standard sets no time, and a device may
call once for many entries, so the call is late only if everything has settled: a call for a later
request does not make up for it. Source: virtio 1.2, 2.7.7; QEMU virtio_should_notify,
virtio_notify.

In a packed ring the driver asks for all calls, for none, or for that of one descriptor (2.8.10).
There USED_EVENT has the place of that descriptor, modulo two laps, and a push is about as many
descriptors as its POP says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vblkfuzz.oracle.naming.circumstance import call_missed
from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.oracle.rules.settled import has_settled
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import (
    DRIVER_INIT,
    END,
    IRQ,
    OP,
    POP,
    PUSH,
    QUEUE_RESET,
    RESET_RET,
    SUPPRESS_CALLS,
    USED_EVENT,
)

LATE_CALL = Situation(
    "used_event_reached", "A push reached a used_event that the driver had moved."
)
CALL_AFTER_SUPPRESSION = Situation(
    "call_after_suppression", "A call was due after the driver had enabled calls again."
)

_U16 = 0xFFFF


class _Places:
    """Where the device is in packed rings."""

    def __init__(self, size: int) -> None:
        self._laps = 2 * size
        self.first = 0
        self._used: dict[int, int] = {}
        """By queue, if it has been pushed to: place of the next used descriptor."""
        self._spans: dict[int, int] = {}
        """Descriptors of each request."""

    def pop(self, pop: Event) -> None:
        """Note how many descriptors a request takes."""
        self._spans[pop.request] = pop.length

    def push(self, push: Event, place: int) -> bool:
        """Go on with a push; return whether it is about the descriptor at a place."""
        at = self._used.get(push.queue, self.first % self._laps)
        span = self._spans.get(push.request, 1)
        self._used[push.queue] = (at + span) % self._laps
        return (place - at) % self._laps < span

    def new_ring(self, queue: int) -> None:
        """Begin again in one ring."""
        self._used.pop(queue, None)

    def new_rings(self) -> None:
        """Begin again in all rings."""
        self._used.clear()


class _Calls:
    """The calls that the driver has asked for, and those that are due."""

    __slots__ = ("_first", "due", "event_idx", "suppressed", "used_event")

    def __init__(self) -> None:
        self.event_idx = False
        self._first = 0
        """First index of the driver's rings, and initial value of used_event."""
        self.used_event: dict[int, int] = {}
        """By queue, if the driver has changed it."""
        self.suppressed: dict[int, bool] = {}
        """NO_INTERRUPT by queue, if the driver has set or cleared it."""
        self.due: dict[int, Event] = {}
        """By queue: the first PUSH that needs a call and has not had one."""

    def push(self, push: Event, report: Report) -> None:
        """Process a push; it may need a call."""
        queue = push.queue
        if self.event_idx:
            if (push.value - 1) & _U16 != self.used_event.get(queue, self._first):
                return
            if queue in self.used_event:
                report.met(LATE_CALL)
        elif queue in self.suppressed:
            if self.suppressed[queue]:
                return
            report.met(CALL_AFTER_SUPPRESSION)
        self.due.setdefault(queue, push)

    def change(self, event: Event) -> None:
        """Process a change by the driver, which must check the used ring after it (2.7.7.1)."""
        queue = event.queue
        if event.kind == USED_EVENT:
            self.used_event[queue] = event.value
        else:
            self.suppressed[queue] = event.flag == 1
        self.due.pop(queue, None)

    def new_rings(self, event: Event) -> None:
        """End all rings at a reset, one at a queue reset; DRIVER_INIT makes new ones."""
        if event.kind == QUEUE_RESET:
            self.used_event.pop(event.queue, None)
            self.suppressed.pop(event.queue, None)
            self.due.pop(event.queue, None)
        elif event.kind == RESET_RET:
            self._forget()
            self.event_idx = False  # a reset ends what was negotiated
        elif event.flag == 0:
            self._forget()
            self._first = event.value
        else:  # the end of DRIVER_INIT
            self.event_idx = event.head == 1

    def _forget(self) -> None:
        self.used_event.clear()
        self.suppressed.clear()
        self.due.clear()


class _PackedCalls(_Calls):
    """The same of a driver that uses packed rings, if the device has them."""

    __slots__ = ("_packed", "_places")

    def __init__(self, size: int) -> None:
        super().__init__()
        self._packed = False
        self._places = _Places(size)

    def pop(self, pop: Event) -> None:
        """Process a pop; it says how many descriptors its request takes."""
        self._places.pop(pop)

    def push(self, push: Event, report: Report) -> None:
        """Process a push; it may need a call."""
        if not self._packed:
            super().push(push, report)
            return
        queue = push.queue
        place = self.used_event.get(queue) if self.event_idx else None
        reached = self._places.push(push, place or 0)
        if place is not None:
            if not reached:
                return
            report.met(LATE_CALL)
        elif queue in self.suppressed:
            if self.suppressed[queue]:
                return
            report.met(CALL_AFTER_SUPPRESSION)
        self.due.setdefault(queue, push)

    def change(self, event: Event) -> None:
        """Process a change by the driver: it ends the one before, whichever it was."""
        if not self._packed:
            super().change(event)
        elif self.event_idx or event.kind == SUPPRESS_CALLS:
            self.used_event.pop(event.queue, None)
            self.suppressed.pop(event.queue, None)
            super().change(event)

    def new_rings(self, event: Event) -> None:
        """End all rings at a reset, one at a queue reset; DRIVER_INIT makes new ones."""
        super().new_rings(event)
        if event.kind == QUEUE_RESET:
            self._places.new_ring(event.queue)
        elif event.kind == RESET_RET or event.flag == 0:
            self._places.new_rings()
            self._places.first = self._first
            self._packed = False
        else:  # the end of DRIVER_INIT
            self._packed = event.length == 1


@rule(
    "L4",
    title="The driver is called for each used entry that it asked to be called for.",
    source="virtio 1.2, 2.7.7; QEMU virtio_should_notify",
    instead="The device makes the push visible, then checks whether it needs a call, then calls.",
    needs=(
        OP,
        DRIVER_INIT,
        USED_EVENT,
        SUPPRESS_CALLS,
        PUSH,
        IRQ,
        RESET_RET,
        QUEUE_RESET,
        END,
    ),
    situations=(LATE_CALL, CALL_AFTER_SUPPRESSION),
    circumstance=call_missed,
)
def L4(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """One call serves all pushes before it. More calls than the driver asked for are allowed.

    A partial trace has no END and is not judged.
    """
    packed: _PackedCalls | None = None
    calls = _Calls()
    if scenario.device.ring == "packed":
        calls = packed = _PackedCalls(scenario.device.queue_size)
        events = [event for event in report.events if event.kind in _PACKED]
    due = calls.due
    late: list[tuple[Event, Event]] = []
    """Pushes without a call, each with the event before which everything had settled."""
    for event in events:
        kind = event.kind
        if kind == PUSH:
            calls.push(event, report)
        elif kind == IRQ:
            due.pop(event.queue, None)
        elif kind == OP:
            if due and has_settled(scenario, report.events, event):
                late += [(push, event) for push in due.values()]
                due.clear()
        elif kind == END:
            for push, settled in (*late, *((push, event) for push in due.values())):
                _report_lost(push, settled, calls.event_idx, report)
        elif kind in (USED_EVENT, SUPPRESS_CALLS):
            calls.change(event)
        elif kind == POP:
            if packed is not None:
                packed.pop(event)
        else:  # DRIVER_INIT, RESET_RET, QUEUE_RESET
            calls.new_rings(event)


_PACKED: Final = frozenset(
    {
        OP,
        DRIVER_INIT,
        USED_EVENT,
        SUPPRESS_CALLS,
        POP,
        PUSH,
        IRQ,
        RESET_RET,
        QUEUE_RESET,
        END,
    }
)


def _report_lost(push: Event, settled: Event, event_idx: bool, report: Report) -> None:
    sentence = (
        f"The push at turn {push.turn} took queue {push.queue} to used idx {push.value}, which "
        f"the driver wanted to be called for, but no call had come when everything had settled "
        f"(turn {settled.turn})."
    )
    report.violation(push, settled, sentence, "used_event" if event_idx else "flag")
