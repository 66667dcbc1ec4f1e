"""The rule of notifier fds: S9.

A host notifier is an eventfd that a start opens and a stop closes. An event loop that watches a
closed one, or that of another queue, either never wakes up or never sleeps: its fd number may be in
use for another file. Source: QEMU virtio_bus_set_host_notifier, virtio_bus_cleanup_host_notifier,
aio_set_event_notifier.
"""

from __future__ import annotations

from collections.abc import Sequence

from vblkfuzz.oracle.naming.circumstance import attached_by_stop
from vblkfuzz.oracle.naming.consequence import STAYS_ATTACHED
from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import ATTACH, DETACH, NOTIFIER_CLOSE, NOTIFIER_OPEN, START_RET, STOP_RET

REOPENED = Situation("notifier_reopened", "A host notifier was closed and opened again.")
ROLLED_BACK = Situation("start_rolled_back", "A start failed that had opened a notifier.")


@rule(
    "S9",
    title="What an event loop watches is open and the queue's own; nothing is left open.",
    source="QEMU virtio_bus_set_host_notifier, virtio_bus_cleanup_host_notifier",
    instead=(
        "A start opens the notifiers before it attaches them; a stop, or a start that fails, "
        "detaches them first and then closes each of them once."
    ),
    needs=(
        NOTIFIER_OPEN,
        NOTIFIER_CLOSE,
        ATTACH,
        DETACH,
        START_RET,
        STOP_RET,
    ),
    situations=(REOPENED, ROLLED_BACK),
    path="innermost",
    # a handler that stays attached goes on polling while the device starts
    leads_to=(*STAYS_ATTACHED, "L1", "L5"),
    circumstance=attached_by_stop,
)
def S9(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """Each opening has a new serial: a notifier that is opened again is a different one."""
    opened: dict[int, Event] = {}
    closed: dict[int, Event] = {}
    attached: dict[int, Event] = {}
    for event in events:
        kind = event.kind
        queue = event.queue
        if kind == ATTACH:
            current = opened.get(queue)
            if current is None or current.head != event.head:
                _report_attach(current, closed.get(queue, event), event, report)
            attached[queue] = event
        elif kind == DETACH:
            attach = attached.get(queue)
            if attach and attach.value == event.value:  # in the wrong event loop: no effect
                del attached[queue]
        elif kind == NOTIFIER_OPEN:
            opened[queue] = event
            if queue in closed:
                report.met(REOPENED)
        elif kind == NOTIFIER_CLOSE:
            _close(event, opened.pop(queue, None), attached.pop(queue, None), closed, report)
        elif kind != START_RET or event.flag == 1:  # STOP_RET, or a failed start
            _end(event, opened, closed, report)


def _report_attach(current: Event | None, close: Event, attach: Event, report: Report) -> None:
    what = f"The handler of queue {attach.queue} was attached at turn {attach.turn}"
    if current is None:
        since = "" if close is attach else f", which was closed at turn {close.turn}"
        sentence = f"{what} to a notifier that is not open{since}."
        report.violation(close, attach, sentence, "closed")
    else:
        sentence = f"{what}, but not to the notifier that was opened for it at turn {current.turn}."
        report.violation(current, attach, sentence, "other")


def _close(
    close: Event,
    current: Event | None,
    attach: Event | None,
    closed: dict[int, Event],
    report: Report,
) -> None:
    what = f"The notifier of queue {close.queue} was closed at turn {close.turn}"
    if current is None:
        first = closed.get(close.queue, close)
        since = "" if first is close else f" since turn {first.turn}"
        report.violation(first, close, f"{what} although it was not open{since}.", "not_open")
    elif attach is not None:
        sentence = f"{what} while the event loop it was attached to at turn {attach.turn} watched."
        report.violation(attach, close, sentence, "attached")
    closed[close.queue] = close


def _end(ret: Event, opened: dict[int, Event], closed: dict[int, Event], report: Report) -> None:
    """Report the notifiers that are still open after a stop or a failed start."""
    ended = "the start failed" if ret.kind == START_RET else "the stop returned"
    for opening in opened.values():
        sentence = (
            f"The notifier of queue {opening.queue}, opened at turn {opening.turn}, was still "
            f"open when {ended} at turn {ret.turn}."
        )
        report.violation(opening, ret, sentence, "left_open")
    opened.clear()
    if ret.kind == START_RET and closed:
        report.met(ROLLED_BACK)
