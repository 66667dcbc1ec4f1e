"""The rule of cancelled requests: S18.

A driver that made a request available waits until it comes back in the used ring. It stops waiting
only where it has asked for a reset, of the device or of that queue, or where the device has told it
that nothing comes any more. So a device may drop a request there and nowhere else: not as a drained
section ends, as the VM continues, or as another queue is reset.

The other rules take a CANCEL as a good end of a request; whether it was one is judged here. Source:
virtio 1.2, 2.1.2, 2.4.1, 2.6.1 and 2.7.8; QEMU virtqueue_detach_element, virtio_blk_reset.
"""

from __future__ import annotations

from collections.abc import Sequence

from vblkfuzz.oracle.naming.circumstance import dropped
from vblkfuzz.oracle.naming.consequence import REQUEST_GOES_ON
from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event, Frame, frames_of
from vblkfuzz.trace.kinds import (
    BROKEN,
    CANCEL,
    END,
    POP,
    PUBLISH,
    QUEUE_RESET,
    RESET_CALL,
    RESET_RET,
)

RESET_CANCELS = Situation(
    "reset_cancels", "A reset, of the device or of its queue, cancelled a request."
)
BROKEN_CANCELS = Situation("broken_cancels", "A broken device dropped a request.")


@rule(
    "S18",
    title="Only a reset, of the device or of its queue, cancels a request of a device that works.",
    source="virtio 1.2, 2.1.2, 2.4.1, 2.6.1 and 2.7.8; QEMU virtqueue_detach_element",
    instead=(
        "A request is pushed, whatever holds it up, unless the device or its own queue is reset "
        "or the device is broken."
    ),
    needs=(
        POP,
        PUBLISH,
        CANCEL,
        BROKEN,
        QUEUE_RESET,
        RESET_CALL,
        RESET_RET,
        END,
    ),
    situations=(RESET_CANCELS, BROKEN_CANCELS),
    decisive=(CANCEL,),
    path="none",
    leads_to=REQUEST_GOES_ON,
    circumstance=dropped,
)
def S18(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """A reset of a queue cancels before it says QUEUE_RESET, and in its own thread.

    So the path tells that a cancel belongs to the reset of a queue, and the QUEUE_RESET of which
    queue. The guest waits meanwhile: what it publishes comes after the reset.
    """
    books = _Books()
    for event in events:
        kind = event.kind
        if kind == POP:
            books.pops[event.request] = event
        elif kind == CANCEL:
            books.cancel(event, report)
        elif kind == QUEUE_RESET:
            books.reset_queue(event, report)
        elif kind == RESET_CALL:
            books.resets += 1
        elif kind == RESET_RET:
            books.resets = max(books.resets - 1, 0)
            books.broken = False
        elif kind == BROKEN:
            books.broken = True
        else:  # PUBLISH, END
            books.too_late(event, report)


class _Books:
    """What may cancel requests now, and what queue resets have cancelled."""

    __slots__ = ("_cancels", "broken", "pops", "resets")

    def __init__(self) -> None:
        self.pops: dict[int, Event] = {}
        self.resets = 0
        """Resets that have begun and not returned."""
        self.broken = False
        self._cancels: list[Event] = []
        """Those of the reset of a queue that has not said yet which one it is."""

    def cancel(self, cancel: Event, report: Report) -> None:
        """Judge a cancel, or wait for the QUEUE_RESET that belongs to it."""
        if self.resets:
            report.met(RESET_CANCELS)
        elif self.broken:
            report.met(BROKEN_CANCELS)
        elif Frame.QUEUE_RESET in frames_of(cancel):
            self._cancels.append(cancel)
        else:
            pop = self.pops.get(cancel.request, cancel)
            sentence = (
                f"Request {cancel.request}, dequeued at turn {pop.turn}, was dropped at turn "
                f"{cancel.turn}, although neither the device nor its queue was reset."
            )
            report.violation(pop, cancel, sentence)

    def reset_queue(self, reset: Event, report: Report) -> None:
        """Judge what was cancelled for the reset of a queue."""
        for cancel in self._cancels:
            if cancel.queue == reset.queue:
                report.met(RESET_CANCELS)
                continue
            sentence = (
                f"Request {cancel.request} of queue {cancel.queue} was dropped at turn "
                f"{cancel.turn}, although queue {reset.queue} was reset (turn {reset.turn})."
            )
            report.violation(cancel, reset, sentence, "other_queue")
        self._cancels.clear()

    def too_late(self, event: Event, report: Report) -> None:
        """The reset of a queue was over before it cancelled."""
        for cancel in self._cancels:
            sentence = (
                f"The reset of a queue dropped request {cancel.request} at turn {cancel.turn}, but "
                f"no reset of its own queue followed before turn {event.turn}."
            )
            report.violation(cancel, event, sentence, "too_late")
        self._cancels.clear()
