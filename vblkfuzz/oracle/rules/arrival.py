"""The rule of arrival: S36. The calls of the device are those that the driver finds.

L4 and S19 judge the calls that the device makes (IRQ). This rule asks the driver: each time it
looks whether it was called (CALLED), it finds a call if the device has made one since the last
look, and none otherwise. It looks before it takes used entries and after each reset. What a device
calls after it was saved is lost with it. Source: virtio 1.2, 2.7.7.2, 2.4.1 and 2.6.1.1.1.
"""

from __future__ import annotations

from collections.abc import Sequence

from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import CALLED, IRQ, RESTORED, SAVED

CALL_FOUND = Situation("call_found", "The driver found that it was called.")


@rule(
    "S36",
    title="The driver finds each call that the device makes, and no other.",
    source="virtio 1.2, 2.7.7.2, 2.4.1 and 2.6.1.1.1",
    instead="The device raises the interrupt of the queue for a push, and at no other time.",
    needs=(IRQ, CALLED, SAVED, RESTORED),
    situations=(CALL_FOUND,),
    path="none",
    decisive=(CALLED,),
)
def S36(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """Calls between two looks are one for the driver."""
    made: dict[int, Event] = {}
    at_save: dict[int, Event] = {}
    looked: dict[int, Event] = {}
    for event in events:
        kind, queue = event.kind, event.queue
        if kind == IRQ:
            made[queue] = event
            continue
        if kind == SAVED:
            at_save = dict(made)
            continue
        if kind == RESTORED:
            made = at_save
            continue
        call = made.pop(queue, None)
        if event.flag and call is None:
            _report_unmade(looked.get(queue), event, report)
        elif event.flag:
            report.met(CALL_FOUND)
        elif call is not None:
            _report_lost(call, event, report)
        looked[queue] = event


def _report_lost(call: Event, look: Event, report: Report) -> None:
    sentence = (
        f"The device made a call of queue {call.queue} at turn {call.turn}, but the driver found "
        f"none at turn {look.turn}."
    )
    report.violation(call, look, sentence, "lost")


def _report_unmade(before: Event | None, look: Event, report: Report) -> None:
    since = f" since it looked at turn {before.turn}" if before else ""
    sentence = (
        f"The driver found a call of queue {look.queue} at turn {look.turn}, which the device has "
        f"not made for a push{since}."
    )
    report.violation(before or look, look, sentence, "unmade")
