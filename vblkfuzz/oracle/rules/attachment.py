"""The rule of host notifiers: S8.

A queue's host notifier is attached to at most one AioContext, and only while the device is started
and not drained. A detach without an attach is harmless: in QEMU it has no effect. One that names
another AioContext than the attach has no effect either, so the notifier stays attached.

Source: QEMU virtio_queue_aio_attach_host_notifier, virtio_blk_start_ioeventfd,
virtio_blk_stop_ioeventfd, virtio_blk_drained_end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vblkfuzz.oracle.ended import ended
from vblkfuzz.oracle.naming.circumstance import left_by_stop
from vblkfuzz.oracle.naming.consequence import STAYS_ATTACHED
from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.oracle.rules.event_loops import by_whom, names, watch_at
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event, actor_name
from vblkfuzz.trace.kinds import (
    ATTACH,
    DETACH,
    DRAIN_END,
    DRAIN_RET,
    RESET_RET,
    START_CALL,
    START_RET,
    STOP_CALL,
    STOP_RET,
)

START_IN_DRAIN = Situation("start_in_drain", "The device was started inside a drained section.")
STOP_IN_DRAIN = Situation("stop_in_drain", "The device was stopped inside a drained section.")


@rule(
    "S8",
    title="A host notifier is attached once, to a started device that is not drained.",
    source="QEMU virtio_blk_start_ioeventfd, virtio_blk_stop_ioeventfd",
    instead=(
        "Start attaches each notifier once, to a started device; while a drain is open it "
        "leaves that to drained_end, and stop detaches each of them."
    ),
    needs=(
        ATTACH,
        DETACH,
        START_CALL,
        START_RET,
        STOP_CALL,
        STOP_RET,
        RESET_RET,
        DRAIN_RET,
        DRAIN_END,
    ),
    situations=(START_IN_DRAIN, STOP_IN_DRAIN),
    path="innermost",
    leads_to=(*STAYS_ATTACHED, "S1", "S10", "S12", "S17"),
    circumstance=left_by_stop,
)
def S8(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """The device is started from START_CALL until STOP_RET, or until a START_RET that failed."""
    attached: dict[tuple[int, int], Event] = {}  # by queue and event loop
    section: Event | None = None
    started = False
    change = events[0]  # last start or stop
    for event in events:
        kind = event.kind
        if kind == DRAIN_RET:
            section = event if section is None else section
        elif kind == DRAIN_END:
            section = section if event.value else None
        elif kind == ATTACH:
            earlier = [each for each in attached.values() if each.queue == event.queue]
            if earlier or section or not started:
                _report_attach(earlier, section, change, event, report)
            attached[event.queue, event.value] = event
        elif kind == DETACH:
            attached.pop((event.queue, event.value), None)
        elif kind == START_CALL:
            started, change = True, event
            if section is not None:
                report.met(START_IN_DRAIN)
        elif kind == STOP_CALL:
            if section is not None:
                report.met(STOP_IN_DRAIN)
        elif kind != START_RET or event.flag == 1:  # STOP_RET, RESET_RET, a failed start
            started, change = False, event
            for attach in attached.values():
                _report_left(attach, event, report)
            attached.clear()  # reported once: a reset that returns after this stop adds nothing


def _report_attach(
    before: list[Event], section: Event | None, change: Event, attach: Event, report: Report
) -> None:
    what = (
        f"The notifier of queue {attach.queue} was attached to {actor_name(attach.value)} at turn "
        f"{attach.turn} {by_whom(attach)}"
    )
    if before:
        earlier = before[-1]
        missed = watch_at(attach, report.events, earlier).elsewhere
        sentence = (
            f"{what}, although it was attached to {actor_name(earlier.value)} already at turn "
            f"{earlier.turn} {by_whom(earlier)}{_but_from(missed)}."
        )
        report.violation(earlier, attach, sentence, f"twice{_ELSEWHERE if missed else ''}")
    elif section is not None:
        sentence = f"{what}, inside the drained section that began at turn {section.turn}."
        report.violation(section, attach, sentence, "drained")
    else:
        sentence = f"{what}, to a device that was not started (turn {change.turn})."
        report.violation(change, attach, sentence, "not_started")


def _report_left(attach: Event, ret: Event, report: Report) -> None:
    missed = watch_at(ret, report.events, attach).elsewhere
    end = "start failed" if ret.kind == START_RET else f"{ended(ret)} returned"
    sentence = (
        f"The notifier of queue {attach.queue}, attached to {actor_name(attach.value)} at turn "
        f"{attach.turn} {by_whom(attach)}, was still attached when "
        f"the {end} at turn {ret.turn}{_but_from(missed)}."
    )
    report.violation(attach, ret, sentence, f"left_attached{_ELSEWHERE if missed else ''}")


def _but_from(missed: tuple[int, ...]) -> str:
    return f": a detach named {names(missed)} instead" if missed else ""


_ELSEWHERE: Final = "-detached_elsewhere"
