"""The rule of restored devices: S34. What was under way at a save goes on.

A saved VM goes on with a new device, which knows only what the saved state says. So nothing that
was under way may depend on the old device: no kick in its notifiers, no request in its block layer,
no call that it has made and the guest has not taken.

Other rules hold with and without a save: no request ends twice (S5, S6, S7), is dropped (S18) or
never ends (L1, L3). But L1 and L3 ask at the end. S34 asks when all has settled after the restore:
a driver that waits is not helped if a later kick, or a later stop and `cont`, takes up what was
left. Calls are not observed on a real device, so they are not judged there.
What the old device must not do is in `oracle.rules.given_away`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from vblkfuzz.oracle.naming.circumstance import not_taken_up
from vblkfuzz.oracle.naming.consequence import REQUEST_GOES_ON
from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.oracle.rules.operational import hostile_queues, must_serve
from vblkfuzz.oracle.rules.settled import left_alone
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import (
    CANCEL,
    COLLECT,
    DRAIN_CALL,
    DRAIN_END,
    DRIVER_INIT,
    END,
    IO_DONE,
    IRQ,
    KICK,
    MEMWRITE,
    OP,
    PARK,
    POP,
    PUSH,
    QUEUE_RESET,
    RESET_RET,
    RESTORED,
    RETRY,
    SAVED,
    SUBMIT,
    UNPARK,
    VM_STOP_CALL,
)
from vblkfuzz.trace.order_kinds import WAITS
from vblkfuzz.trace.witness import Witness

SAVED_AVAILABLE = Situation(
    "saved_with_request_available", "A VM was saved with a request that was kicked, not dequeued."
)
SAVED_PARKED = Situation(
    "saved_with_request_parked", "A request was parked when a save began.", witnesses=Witness.DEVICE
)
SAVED_IN_FLIGHT = Situation(
    "saved_with_request_in_flight",
    "A request was in flight when a save began.",
    witnesses=Witness.DEVICE,
)
SAVED_FAILED = Situation(
    "saved_with_request_failed",
    "A failed request waited for cont when a save began.",
    witnesses=Witness.DEVICE,
)
SAVED_CALL = Situation(
    "saved_with_call_pending",
    "A VM was saved before the guest had taken a call.",
    witnesses=Witness.DEVICE,
)
SAVED_IN_DRAIN = Situation("saved_in_drain", "A VM was saved inside a drained section.")

_U16: Final = 0xFFFF
_HALF: Final = 0x8000

_MOVES: Final = frozenset({SUBMIT, IO_DONE, PARK, UNPARK, RETRY})
_RINGS: Final = frozenset({RESET_RET, QUEUE_RESET, DRIVER_INIT})
_ENDS: Final = frozenset({CANCEL, WAITS})
"""Besides PUSH. One that waits for an older one (F_IN_ORDER) has ended."""
_TAKES_CALL: Final = frozenset({IRQ, COLLECT})


class _Device:
    """What is under way in the device: kicks, requests and calls."""

    __slots__ = ("_calls", "_collected", "_first", "_kicks", "_pushed", "_taken", "last", "owned")

    def __init__(self) -> None:
        self._first = 0
        self._kicks: dict[int, Event] = {}
        """The last KICK, by queue."""
        self._taken: defaultdict[int, int] = defaultdict(lambda: self._first)
        self._pushed: dict[int, int] = {}
        self._collected: dict[int, int] = {}
        """used idx that the device has pushed, and that the guest has collected, by queue."""
        self._calls: dict[int, Event] = {}
        """The last IRQ that tells the guest of an entry which it had not collected, by queue."""
        self.owned: dict[int, Event] = {}
        """POP of each request that has not ended."""
        self.last: dict[int, int] = {}
        """Kind of the last of the `_MOVES` of each request."""

    def note(self, event: Event) -> None:
        """Process an event."""
        kind, queue = event.kind, event.queue
        if kind == KICK:
            self._kicks[queue] = event
        elif kind == POP:
            self._taken[queue] = event.value
            self.owned[event.request] = event
        elif kind in _MOVES:
            self.last[event.request] = kind
        elif kind == PUSH:
            self.owned.pop(event.request, None)
            self._pushed[queue] = event.value
        elif kind in _ENDS:
            self.owned.pop(event.request, None)
        elif kind == IRQ:
            if self._pushed.get(queue) != self._collected.get(queue):
                self._calls[queue] = event
        elif kind == COLLECT:
            self._collected[queue] = event.value
            self._calls.pop(queue, None)
        elif kind in _RINGS:
            self._new_rings(event)

    def _new_rings(self, event: Event) -> None:
        """End all rings at a reset, one at a queue reset; DRIVER_INIT makes new ones."""
        books = self._kicks, self._taken, self._pushed, self._collected, self._calls
        if event.kind == QUEUE_RESET:
            for book in books:
                book.pop(event.queue, None)
            for request, pop in list(self.owned.items()):
                if pop.queue == event.queue:
                    del self.owned[request]
        elif event.kind == RESET_RET or event.flag == 0:
            for book in books:
                book.clear()
            self.owned.clear()
            if event.kind == DRIVER_INIT:
                self._first = event.value

    def under_way(self) -> list[Event]:
        """Return the KICKs that were not served, the POPs of the requests, the IRQs not taken."""
        kicks = [kick for kick in self._kicks.values() if self._waits(kick)]
        return [*kicks, *self.owned.values(), *self._calls.values()]

    def takes_up(self, event: Event, left: Event) -> bool:
        """Whether `event` is a sign that the device goes on with `left`, or need not."""
        if event.kind in _RINGS:
            return event.queue == left.queue or event.kind == RESET_RET
        if left.kind == POP:
            return event.request == left.request
        if event.queue != left.queue:
            return False
        return not self._waits(left) if left.kind == KICK else event.kind in _TAKES_CALL

    def _waits(self, kick: Event) -> bool:
        """Whether no POP has reached what a kick covers."""
        return 0 < (kick.value - self._taken[kick.queue]) & _U16 < _HALF


@rule(
    "S34",
    title="A restored device goes on with all that was under way: requests, kicks and calls.",
    source="QEMU virtio_load, virtio_blk_load_device; cloud-hypervisor commit 3e3008f36",
    instead=(
        "The saved state has each request that has not ended and each call that was not taken; the "
        "restored device submits the requests, makes the calls and looks at each queue."
    ),
    needs=(
        OP,
        KICK,
        POP,
        SUBMIT,
        IO_DONE,
        PARK,
        UNPARK,
        RETRY,
        MEMWRITE,
        PUSH,
        CANCEL,
        WAITS,
        IRQ,
        COLLECT,
        DRAIN_CALL,
        DRAIN_END,
        VM_STOP_CALL,
        SAVED,
        RESTORED,
        DRIVER_INIT,
        RESET_RET,
        QUEUE_RESET,
        END,
    ),
    situations=(
        SAVED_AVAILABLE,
        SAVED_PARKED,
        SAVED_IN_FLIGHT,
        SAVED_FAILED,
        SAVED_CALL,
        SAVED_IN_DRAIN,
    ),
    witnesses=Witness.GUEST | Witness.POP | Witness.MEMORY | Witness.REST,
    decisive=(SAVED,),
    path="none",
    leads_to=(*REQUEST_GOES_ON, "L1", "S36"),
    circumstance=not_taken_up,
)
def S34(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """Asked at the first operation after a restore before which all has settled, or at END.

    The rule does not apply to a device that need not serve (`must_serve`), nor to queues on which
    the guest broke the protocol. A reset ends what was under way.
    """
    device = _Device()
    stopped: list[int] = []
    depth = 0
    left: list[Event] = []
    """KICK, POP or IRQ of all that was under way at the save and has not been taken up since, also
    not by the old device: that is for S17 and S35."""
    restored = False
    for event in events:
        kind = event.kind
        device.note(event)
        if kind == VM_STOP_CALL:
            stopped = [device.last.get(request, POP) for request in device.owned]
        elif kind in _DRAINS:
            depth = event.value
        elif kind == SAVED:
            left, restored = device.under_way(), False
            _note_save(left, stopped, depth, report)
        elif kind == RESTORED:
            restored = True
        elif left and kind not in _ASKS:
            left = [each for each in left if not device.takes_up(event, each)]
        elif left and restored and left_alone(scenario, report.events, event):
            _report_left(scenario, left, event, report)
            left = []


_DRAINS: Final = frozenset({DRAIN_CALL, DRAIN_END})
_ASKS: Final = frozenset({OP, END})


def _note_save(left: list[Event], stopped: list[int], depth: int, report: Report) -> None:
    """Note the situations of a save; `stopped` are the last events of the requests at the stop."""
    for each in left:
        if each.kind in _LEFT:
            report.met(_LEFT[each.kind])
    for kind in stopped:
        if kind in _WHERE:
            report.met(_WHERE[kind])
    if depth:
        report.met(SAVED_IN_DRAIN)


_LEFT: Final = {KICK: SAVED_AVAILABLE, IRQ: SAVED_CALL}
_WHERE: Final = {PARK: SAVED_PARKED, SUBMIT: SAVED_IN_FLIGHT, RETRY: SAVED_FAILED}


def _report_left(scenario: Scenario, left: list[Event], asked: Event, report: Report) -> None:
    before = report.events[: report.events.index(asked)]
    if not must_serve(before, scenario.device.ioeventfd):
        return
    hostile = hostile_queues(before)
    for each in left:
        if each.queue not in hostile:
            state, what, verb = _WORDS[each.kind]
            sentence = (
                f"{what.format(each)}, which the save left to the restored device, was not "
                f"{verb} when all had settled (turn {asked.turn})."
            )
            report.violation(each, asked, sentence, state)


_WORDS: Final = {
    KICK: ("available", "The kick of queue {0.queue} at turn {0.turn}", "served"),
    POP: ("request", "Request {0.request}, dequeued at turn {0.turn}", "taken up"),
    IRQ: ("call", "The call of queue {0.queue} at turn {0.turn}", "made again"),
}
