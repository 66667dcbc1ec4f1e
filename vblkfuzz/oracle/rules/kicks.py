"""The rule of kicks: L1. No kick is lost.

A kick wakes the device, or is not sent because the device suppresses kicks and checks the ring
itself. In both cases the device must dequeue what was published. Typical bugs are at the end of a
drain: a notifier is attached again without a check of the ring, or kicks stay suppressed. The rule
is checked at END, when everything has settled. Source: virtio 1.2, 2.7.10 and 2.7.13; QEMU
virtio_queue_set_notification, virtio_blk_drained_end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from vblkfuzz.oracle.naming.circumstance import kick_lost
from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.oracle.rules.operational import hostile_queues, must_serve
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import (
    DRAIN_END,
    DRAIN_RET,
    DRIVER_INIT,
    END,
    KICK,
    POP,
    QUEUE_RESET,
    RESET_RET,
)
from vblkfuzz.trace.witness import Witness

KICK_SERVED_LATER = Situation(
    "drained_kick_served_later", "A kick inside a drained section was served after it."
)
KICK_SUPPRESSED = Situation("kick_suppressed", "The device suppressed a kick of the guest.")

_U16: Final = 0xFFFF
_HALF: Final = 0x8000


def _ahead(index: int, other: int) -> bool:
    """Whether a 16-bit ring index is ahead of another one."""
    return 0 < (index - other) & _U16 < _HALF


@rule(
    "L1",
    title="What was kicked is dequeued.",
    source="virtio 1.2, 2.7.10 and 2.7.13; QEMU virtio_queue_set_notification",
    instead=(
        "Whenever the device enables kicks again, or attaches a notifier again, it checks the "
        "ring once more."
    ),
    needs=(
        KICK,
        POP,
        DRIVER_INIT,
        RESET_RET,
        QUEUE_RESET,
        DRAIN_RET,
        DRAIN_END,
        END,
    ),
    situations=(KICK_SERVED_LATER, KICK_SUPPRESSED),
    witnesses=Witness.MEMORY | Witness.REST,
    circumstance=kick_lost,
)
def L1(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """A suppressed kick counts as well: the device must check the ring itself then.

    The rule does not apply to a device that need not serve (`must_serve`), nor to queues on which
    the guest broke the protocol.
    """
    books = _Kicks()
    kicks, taken, drained = books.kicks, books.taken, books.drained
    in_section = False
    for event in events:
        kind = event.kind
        if kind == KICK:
            kicks[event.queue].append(event)
            if event.flag == 0:
                report.met(KICK_SUPPRESSED)
            if in_section:
                drained.append(event)
        elif kind == POP:
            taken[event.queue] = event.value
            if drained and not in_section:
                books.served(event, report)
        elif kind == DRAIN_RET:
            in_section = True
        elif kind == DRAIN_END:
            in_section = in_section and event.value != 0
        elif kind == END:
            lost = books.unserved()
            if lost and must_serve(report.events, scenario.device.ioeventfd):
                _report_lost(lost, event, books, report)
        elif kind in _NEW_RINGS:
            books.new_rings(event)


_NEW_RINGS: Final = frozenset({RESET_RET, QUEUE_RESET, DRIVER_INIT})


class _Kicks:
    """Kicks and pops of the current epoch, by queue."""

    __slots__ = ("_first", "drained", "kicks", "taken")

    def __init__(self) -> None:
        self._first = 0
        self.kicks: defaultdict[int, list[Event]] = defaultdict(list)
        self.taken: defaultdict[int, int] = defaultdict(lambda: self._first)
        """last_avail of each queue."""
        self.drained: list[Event] = []
        """Kicks inside a drained section that have not been served yet."""

    def served(self, pop: Event, report: Report) -> None:
        """Remove the drained kicks that a pop outside of a drained section has reached."""
        left = [
            kick
            for kick in self.drained
            if kick.queue != pop.queue or _ahead(kick.value, pop.value)
        ]
        if len(left) < len(self.drained):
            report.met(KICK_SERVED_LATER)
        self.drained[:] = left

    def new_rings(self, event: Event) -> None:
        """End all rings at a reset, one at a queue reset; DRIVER_INIT makes new ones."""
        if event.kind == QUEUE_RESET:
            self.kicks.pop(event.queue, None)
            self.taken.pop(event.queue, None)
            self.drained[:] = [kick for kick in self.drained if kick.queue != event.queue]
        elif event.kind == RESET_RET or event.flag == 0:
            self.kicks.clear()
            self.drained.clear()
            if event.kind == RESET_RET:
                self.taken.clear()
            else:
                self._first = event.value

    def unserved(self) -> list[Event]:
        """Return the first kick of each queue that no pop has reached."""
        return [
            next(kick for kick in kicks if _ahead(kick.value, self.taken[queue]))
            for queue, kicks in self.kicks.items()
            if _ahead(kicks[-1].value, self.taken[queue])
        ]


def _report_lost(lost: list[Event], end: Event, books: _Kicks, report: Report) -> None:
    hostile = hostile_queues(report.events)
    for kick in lost:
        if kick.queue in hostile:
            continue
        how = "sent" if kick.flag else "suppressed"
        state = f"{how}_in_drain" if kick in books.drained else how
        sentence = (
            f"The kick of queue {kick.queue} at turn {kick.turn} ({how}) covers avail idx "
            f"{kick.value}, but when everything had settled (turn {end.turn}) the device had "
            f"dequeued up to {books.taken[kick.queue]} only."
        )
        report.violation(kick, end, sentence, state)
