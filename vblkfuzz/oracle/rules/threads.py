"""The rule of threads: S10.

A virtqueue has no lock. While its notifier is attached to the event loop of an IOThread, only that
thread pops and pushes. While it is not attached, the IOThread may finish what it has begun, until
the stop returns. The queues of a device that is not started are handled under the BQL: by an exit
of the vCPU or by the main loop. Source: QEMU virtio_blk_handle_vq, virtio_blk_req_complete,
virtio_notify_irqfd, virtio_blk_dma_restart_cb.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import ActorId, Event, actor_name
from vblkfuzz.trace.kinds import (
    ATTACH,
    DETACH,
    IRQ,
    POP,
    PUSH,
    RESET_RET,
    START_CALL,
    START_RET,
    STOP_CALL,
    STOP_RET,
    SUBMIT,
)

PUSHED_IN_STOP = Situation(
    "push_by_iothread_in_stop", "An IOThread pushed a request while the device stopped."
)
TWO_IOTHREADS = Situation("two_iothreads_push", "Two IOThreads pushed requests.")

_IOTHREADS: Final = frozenset({int(ActorId.IO0), int(ActorId.IO1)})
_TOUCHES: Final = {POP: "taken from", SUBMIT: "submitted for", PUSH: "pushed to"}


class _Homes:
    """The event loop that handles each queue."""

    __slots__ = ("attached", "change", "last", "on")

    def __init__(self, first: Event) -> None:
        self.attached: dict[int, Event] = {}
        """ATTACH of each queue that is attached now."""
        self.last: dict[int, Event] = {}
        """The last ATTACH of each queue since the start."""
        self.on = False
        """True from START_CALL until STOP_RET, or until the START_RET of a failed start."""
        self.change = first
        """Last start or stop."""

    def clash(self, touch: Event) -> Event | None:
        """Return the event that forbids `touch` to its thread; None if the thread may do it."""
        actor = touch.actor
        if actor in _IOTHREADS:
            home = self.last.get(touch.queue)
            if home is not None:
                return home if home.value != actor else None
            return None if self.on else self.change
        home = self.attached.get(touch.queue)
        return home if home is not None and home.value in _IOTHREADS else None

    def note(self, event: Event) -> None:
        """Process an attach, a detach, a start or a stop."""
        kind = event.kind
        if kind == ATTACH:
            self.attached[event.queue] = self.last[event.queue] = event
        elif kind == DETACH:
            attach = self.attached.get(event.queue)
            if attach and attach.value == event.value:  # in the wrong event loop: no effect
                del self.attached[event.queue]
        elif kind == STOP_CALL:
            self.change = event
        elif kind != START_RET or event.flag == 1:
            self.on = kind == START_CALL
            self.change = event
            self.attached.clear()
            self.last.clear()


@rule(
    "S10",
    title="A queue is handled by the IOThread it is attached to, and by no other thread.",
    source="QEMU virtio_blk_handle_vq, virtio_notify_irqfd; AioContext home thread",
    instead=(
        "Requests go on in the event loop that handles their queue at that time; start, stop and "
        "virtio_notify are called only with the BQL held."
    ),
    needs=(
        POP,
        SUBMIT,
        PUSH,
        IRQ,
        ATTACH,
        DETACH,
        START_CALL,
        START_RET,
        STOP_CALL,
        STOP_RET,
        RESET_RET,
    ),
    situations=(PUSHED_IN_STOP, TWO_IOTHREADS),
    attaching_alike="beside",
    leads_to=("S10", "S12"),
    leads_to_in={
        "not_started": ("S17",),  # a stop of the VM stops the device first
        "without_bql": ("L2",),  # it waits in an event loop that is not its own
    },
)
def S10(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """Not checked without IOThreads: then everything runs under the BQL.

    Of each request only the first access by the wrong thread is reported: others follow from it.
    """
    if not scenario.device.iothreads:
        return
    homes = _Homes(events[0])
    last = homes.last
    reported: set[int] = set()
    pushers: set[int] = set()
    stopping = False
    for event in events:
        kind = event.kind
        if kind in _TOUCHES:
            actor = event.actor
            home = last.get(event.queue)
            at_home = home is not None and home.value == actor  # the usual case
            first = None if at_home else homes.clash(event)
            if first is not None:
                _report_touch(first, event, reported, report)
            elif kind == PUSH and actor in _IOTHREADS:
                pushers.add(actor)
                if stopping:
                    report.met(PUSHED_IN_STOP)
        elif kind == IRQ:
            if event.flag == 1 and event.actor in _IOTHREADS:
                _report_bql(homes.change, event, report)
        else:
            if kind in _BQL and event.actor in _IOTHREADS:
                _report_bql(homes.change, event, report)
            stopping = kind == STOP_CALL or (stopping and kind in _ATTACHES)
            homes.note(event)
    if len(pushers) > 1:
        report.met(TWO_IOTHREADS)


_BQL: Final = {
    IRQ: "called the driver by virtio_notify",
    START_CALL: "started the device",
    STOP_CALL: "stopped the device",
}
_ATTACHES: Final = frozenset({ATTACH, DETACH})


def _report_touch(first: Event, event: Event, reported: set[int], report: Report) -> None:
    if event.request in reported:
        return
    reported.add(event.request)
    what = f"Request {event.request} was {_TOUCHES[event.kind]} queue {event.queue} at turn"
    if first.kind == ATTACH:
        sentence = (
            f"{what} {event.turn} by {actor_name(event.actor)}, but the queue was attached to "
            f"{actor_name(first.value)} at turn {first.turn}."
        )
        report.violation(first, event, sentence, "beside")
    else:
        sentence = (
            f"{what} {event.turn} by {actor_name(event.actor)}, but the device had not been "
            f"started since turn {first.turn}."
        )
        report.violation(first, event, sentence, "not_started")


def _report_bql(change: Event, event: Event, report: Report) -> None:
    sentence = (
        f"{actor_name(event.actor)} {_BQL[event.kind]} at turn {event.turn} without the BQL; the "
        f"last start or stop was at turn {change.turn}."
    )
    report.violation(change, event, sentence, "without_bql")
