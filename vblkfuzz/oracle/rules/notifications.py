"""The rule of notifications: S13.

A queue that depends on kicks must have them enabled. If its notifier is attached, it is not polled
and its handler does not run, then only a kick wakes it. So the ring must request a kick for the
next entry: NO_NOTIFY is clear, or, with EVENT_IDX, avail_event is the index up to which the device
has dequeued. Source: virtio 1.2, 2.7.10; QEMU virtio_queue_set_notification,
virtio_queue_aio_attach_host_notifier.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import (
    ATTACH,
    BROKEN,
    DETACH,
    HANDLER_END,
    NOTIFICATION,
    POLL_BEGIN,
    POLL_END,
    QUEUE_RESET,
    RESET_RET,
)

DETACHED_POLLED = Situation("detached_while_polled", "A queue was detached while it was polled.")
POLLING_ENDED = Situation("polling_ended", "Polling of a queue ended.")


class _Queues:
    """State of the queues."""

    __slots__ = ("attached", "broken", "off", "polled")

    def __init__(self) -> None:
        self.attached: dict[int, Event] = {}
        self.off: dict[int, Event] = {}
        """By queue: the NOTIFICATION that suppressed its kicks, while they are suppressed."""
        self.polled: set[int] = set()
        self.broken = False
        """Whether the device is broken: then it need not enable kicks."""

    def attach(self, attach: Event, report: Report) -> None:
        """Attach a handler; it is not polled before its first run."""
        queue = attach.queue
        if queue in self.off:
            _report_off(self.off[queue], attach, "was attached", report)
        self.attached[queue] = attach
        self.polled.discard(queue)

    def detach(self, queue: int, report: Report) -> None:
        """Detach a handler, in whatever state it is."""
        self.attached.pop(queue, None)
        if queue in self.polled:
            self.polled.remove(queue)
            report.met(DETACHED_POLLED)

    def end_polling(self, end: Event, report: Report) -> None:
        """End the polling of a queue, which then depends on kicks again."""
        report.met(POLLING_ENDED)
        queue = end.queue
        self.polled.discard(queue)
        if queue in self.off and queue in self.attached:
            _report_off(self.off[queue], end, "was not polled any more", report)

    def awaits_kicks(self, queue: int) -> bool:
        """Whether only a kick wakes the queue, and it has not been reported already."""
        waits = queue in self.attached and queue not in self.polled and not self.broken
        return waits and queue not in self.off

    def clear(self, event: Event) -> None:
        """Process a reset, after which kicks are enabled, or a broken device."""
        if event.kind == QUEUE_RESET:
            self.off.pop(event.queue, None)
        elif event.kind == BROKEN:
            self.broken = True
        else:  # RESET_RET
            self.off.clear()
            self.broken = False


@rule(
    "S13",
    title="A queue that depends on kicks has them enabled.",
    source="virtio 1.2, 2.7.10; QEMU virtio_queue_set_notification",
    instead=(
        "An attach, the end of polling and the end of a handler enable kicks, and the device "
        "then checks the ring once more."
    ),
    needs=(
        NOTIFICATION,
        HANDLER_END,
        POLL_BEGIN,
        POLL_END,
    ),
    situations=(DETACHED_POLLED, POLLING_ENDED),
    path="none",
    leads_to=("S13", "L1"),
)
def S13(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """Checked where the device begins to wait: at the end of a handler, of polling, at an attach.

    At the end of a handler, its flag shows whether the driver would kick. The other two set the
    notifier or check the ring afterwards, so the last NOTIFICATION decides. In most traces there is
    no polling, kicks are not suppressed and the driver would kick; then the check is skipped.
    """
    if not all([event.kind == HANDLER_END and event.flag for event in events]):
        _judge_waiting([event for event in report.events if event.kind in _KINDS], report)


_KINDS: Final = frozenset(
    {
        NOTIFICATION,
        HANDLER_END,
        ATTACH,
        DETACH,
        POLL_BEGIN,
        POLL_END,
        BROKEN,
        RESET_RET,
        QUEUE_RESET,
    }
)


def _judge_waiting(events: Sequence[Event], report: Report) -> None:
    queues = _Queues()
    attached, off, polled = queues.attached, queues.off, queues.polled
    for event in events:
        kind = event.kind
        queue = event.queue
        if kind == HANDLER_END:
            if event.flag == 0 and queues.awaits_kicks(queue):
                _report_handler(attached[queue], event, report)
        elif kind == NOTIFICATION:
            if event.flag == 1:
                off.pop(queue, None)
            else:
                off[queue] = event
        elif kind == ATTACH:
            queues.attach(event, report)
        elif kind == DETACH:
            queues.detach(queue, report)
        elif kind == POLL_BEGIN:
            polled.add(queue)
        elif kind == POLL_END:
            queues.end_polling(event, report)
        else:  # BROKEN, RESET_RET, QUEUE_RESET
            queues.clear(event)


def _report_handler(attach: Event, end: Event, report: Report) -> None:
    sentence = (
        f"Queue {end.queue}, attached at turn {attach.turn}, was left by its handler at turn "
        f"{end.turn} in a state in which the driver does not kick for the next entry."
    )
    report.violation(attach, end, sentence, "handler")


def _report_off(off: Event, event: Event, what: str, report: Report) -> None:
    sentence = (
        f"Queue {event.queue} {what} at turn {event.turn}, but its kicks were suppressed since "
        f"turn {off.turn}."
    )
    report.violation(off, event, sentence, "attach" if event.kind == ATTACH else "poll_end")
