"""The rule of notifications: S13.

A queue that depends on kicks must have them enabled. If its notifier is attached, it is not polled
and its handler does not run, then only a kick wakes it. So the ring must request a kick for the
next entry: NO_NOTIFY is clear, or, with EVENT_IDX, avail_event is the index up to which the device
has dequeued.

What the driver finds in the ring decides, not what the device has said (NOTIFICATION): a device may
leave kicks enabled at any time. Source: virtio 1.2, 2.7.10; QEMU virtio_queue_set_notification,
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
    END,
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

    __slots__ = ("_denied", "_off", "_polled", "_report", "_waiting", "attached", "broken")

    def __init__(self, report: Report) -> None:
        self._report = report
        self.attached: dict[int, Event] = {}
        self._off: dict[int, Event] = {}
        """By queue: the NOTIFICATION that suppressed its kicks, while they are suppressed."""
        self._polled: set[int] = set()
        self._waiting: dict[int, Event] = {}
        """By queue: its last ATTACH or POLL_END, if its kicks may be suppressed since then."""
        self._denied: set[int] = set()
        """Those of them whose ring did not ask for kicks at that time."""
        self.broken = False
        """Whether the device is broken: then it need not enable kicks."""

    def notification(self, event: Event) -> None:
        """Note that the device enables kicks or suppresses them."""
        queue = event.queue
        if event.flag == 1:
            self._off.pop(queue, None)
            self._waits_no_more(queue)
        else:
            self._off[queue] = event

    def attach(self, attach: Event) -> None:
        """Attach a handler; it is not polled before its first run."""
        self.attached[attach.queue] = attach
        self._polled.discard(attach.queue)
        self._wait(attach)

    def detach(self, detach: Event) -> None:
        """Detach a handler, in whatever state it is."""
        queue = detach.queue
        self._end_waiting(queue, detach)
        self.attached.pop(queue, None)
        if queue in self._polled:
            self._polled.remove(queue)
            self._report.met(DETACHED_POLLED)

    def begin_polling(self, queue: int) -> None:
        """Poll a queue: it needs no kicks."""
        self._polled.add(queue)
        self._waits_no_more(queue)

    def end_polling(self, end: Event) -> None:
        """End the polling of a queue, which then depends on kicks again."""
        self._report.met(POLLING_ENDED)
        self._polled.discard(end.queue)
        if end.queue in self.attached:
            self._wait(end)

    def _wait(self, begin: Event) -> None:
        queue = begin.queue
        self._waits_no_more(queue)
        if queue in self._off or begin.flag == 1:
            self._waiting[queue] = begin
        if begin.flag == 1:
            self._denied.add(queue)

    def _waits_no_more(self, queue: int) -> None:
        self._waiting.pop(queue, None)
        self._denied.discard(queue)

    def end_handler(self, end: Event) -> None:
        """Judge a queue that its handler leaves; the flag says whether the driver would kick."""
        queue = end.queue
        if end.flag == 1:
            self._denied.discard(queue)
        elif queue in self.attached and queue not in self._polled and not self.broken:
            if queue in self._waiting:
                _report_off(self._waiting[queue], end, self._report)
            elif queue not in self._off:
                _report_handler(self.attached[queue], end, self._report)

    def _end_waiting(self, queue: int, end: Event) -> None:
        """Judge a queue of which nothing has enabled the kicks as long as it waited."""
        if queue in self._denied and not self.broken:
            _report_off(self._waiting[queue], end, self._report)
        self._waits_no_more(queue)

    def settle(self, end: Event) -> None:
        """Judge the queues that still wait when everything has settled."""
        for queue in list(self._waiting):
            self._end_waiting(queue, end)

    def clear(self, event: Event) -> None:
        """Process a reset, after which kicks are enabled, or a broken device."""
        if event.kind == QUEUE_RESET:
            self._off.pop(event.queue, None)
            self._waits_no_more(event.queue)
        elif event.kind == BROKEN:
            self.broken = True
        else:  # RESET_RET
            self._off.clear()
            self._waiting.clear()
            self._denied.clear()
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

    The flag of each shows whether the driver would kick. After the latter two the device may still
    enable kicks, before its next handler ends or it waits no more; only then they are judged. In
    most traces there is no polling, kicks are not suppressed and the driver would kick; then the
    check is skipped.
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
        END,
    }
)


def _judge_waiting(events: Sequence[Event], report: Report) -> None:
    queues = _Queues(report)
    for event in events:
        kind = event.kind
        if kind == HANDLER_END:
            queues.end_handler(event)
        elif kind == NOTIFICATION:
            queues.notification(event)
        elif kind == ATTACH:
            queues.attach(event)
        elif kind == DETACH:
            queues.detach(event)
        elif kind == POLL_BEGIN:
            queues.begin_polling(event.queue)
        elif kind == POLL_END:
            queues.end_polling(event)
        elif kind == END:
            queues.settle(event)
        else:  # BROKEN, RESET_RET, QUEUE_RESET
            queues.clear(event)


def _report_handler(attach: Event, end: Event, report: Report) -> None:
    sentence = (
        f"Queue {end.queue}, attached at turn {attach.turn}, was left by its handler at turn "
        f"{end.turn} in a state in which the driver does not kick for the next entry."
    )
    report.violation(attach, end, sentence, "handler")


def _report_off(begin: Event, end: Event, report: Report) -> None:
    attached = begin.kind == ATTACH
    what = "was attached" if attached else "was not polled any more"
    sentence = (
        f"Queue {begin.queue} {what} at turn {begin.turn} with its kicks suppressed, and nothing "
        f"had enabled them by turn {end.turn}."
    )
    report.violation(begin, end, sentence, "attach" if attached else "poll_end")
