"""The rule of notifications: S13.

Whoever waits for kicks has to ask for them. A queue whose notifier is attached, which is not polled
and whose handler does not run, is woken by nothing but a kick, so the ring must say that the next
entry deserves one: NO_NOTIFY clear, or with EVENT_IDX avail_event where the device has dequeued
to. Source: virtio 1.2, 2.7.10; QEMU virtio_queue_set_notification,
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
    """What is known of the queues."""

    __slots__ = ("attached", "broken", "off", "polled")

    def __init__(self) -> None:
        self.attached: dict[int, Event] = {}
        self.off: dict[int, Event] = {}
        """NOTIFICATION that suppressed the kicks of a queue, while they are suppressed."""
        self.polled: set[int] = set()
        self.broken = False
        """A broken device has no use for kicks."""

    def attach(self, attach: Event, report: Report) -> None:
        """A handler is attached; it is not polled before its first run."""
        queue = attach.queue
        if queue in self.off:
            _report_off(self.off[queue], attach, "was attached", report)
        self.attached[queue] = attach
        self.polled.discard(queue)

    def detach(self, queue: int, report: Report) -> None:
        """A handler is removed, whatever it was doing."""
        self.attached.pop(queue, None)
        if queue in self.polled:
            self.polled.remove(queue)
            report.met(DETACHED_POLLED)

    def end_polling(self, end: Event, report: Report) -> None:
        """Whoever was polled waits for kicks again."""
        report.met(POLLING_ENDED)
        queue = end.queue
        self.polled.discard(queue)
        if queue in self.off and queue in self.attached:
            _report_off(self.off[queue], end, "was not polled any more", report)

    def awaits_kicks(self, queue: int) -> bool:
        """Whether a queue is woken by nothing else, and was not reported already."""
        waits = queue in self.attached and queue not in self.polled and not self.broken
        return waits and queue not in self.off

    def forget(self, event: Event) -> None:
        """After a reset, and in new rings, kicks are wanted."""
        if event.kind == QUEUE_RESET:
            self.off.pop(event.queue, None)
        elif event.kind == BROKEN:
            self.broken = True
        else:  # RESET_RET
            self.off.clear()
            self.broken = False


@rule(
    "S13",
    title="A queue that waits for kicks has asked for them.",
    source="virtio 1.2, 2.7.10; QEMU virtio_queue_set_notification",
    instead=(
        "Whoever attaches a queue, ends polling or a handler turns notifications on, and then "
        "looks at the ring once more."
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
    """Judged where waiting begins: as a handler ends, as polling ends, at an attach.

    A handler that ends is asked what the driver sees in the ring (flag); the others have kicked
    themselves, or look once more, so that only their own word counts. Mostly nobody polls, nobody
    turns notifications off, and the driver would kick: then who is attached does not matter.
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
            queues.forget(event)


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
