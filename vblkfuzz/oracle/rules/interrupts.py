"""The rule of interrupts: S19. Only what was pushed is a reason to call the driver.

A reset ends what the device has to say of a queue: a driver that has reset it takes an interrupt of
that queue for one of its new rings, or for one of a device that is not set up. A device may call
more often than asked, and late; but not for a push that a reset has undone. The epoch of the
call does not tell: a call that was put off belongs to the epoch in which it is made. Source: virtio
1.2, 2.4.1 and 2.6.1; QEMU commit ebb6ff25cd.
"""

from __future__ import annotations

from collections.abc import Sequence

from vblkfuzz.oracle.ended import ended
from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import IRQ, PUSH, QUEUE_RESET, RESET_RET

CALL_AFTER_RESET = Situation("call_after_reset", "The device called for a push after a reset.")


@rule(
    "S19",
    title="The driver is called only for a queue to which something was pushed since its reset.",
    source="virtio 1.2, 2.4.1 and 2.6.1; QEMU commit ebb6ff25cd",
    instead="A reset makes, or drops, the calls that the device has put off.",
    needs=(PUSH, IRQ, QUEUE_RESET, RESET_RET),
    situations=(CALL_AFTER_RESET,),
    path="none",
)
def S19(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """One push is reason enough for any number of calls, until the next reset."""
    pushed: set[int] = set()
    device_reset: Event | None = None
    resets: dict[int, Event] = {}
    for event in events:
        kind = event.kind
        if kind == PUSH:
            pushed.add(event.queue)
        elif kind == IRQ:
            reset = resets.get(event.queue, device_reset)
            if event.queue not in pushed:
                _report_call(reset, event, report)
            elif reset is not None:
                report.met(CALL_AFTER_RESET)
        elif kind == QUEUE_RESET:
            pushed.discard(event.queue)
            resets[event.queue] = event
        else:  # RESET_RET
            pushed.clear()
            resets.clear()
            device_reset = event


def _report_call(reset: Event | None, irq: Event, report: Report) -> None:
    if reset is None:
        sentence = f"Queue {irq.queue} called at turn {irq.turn}, before anything was pushed to it."
        report.violation(irq, irq, sentence, "no_push")
        return
    sentence = (
        f"Queue {irq.queue} called at turn {irq.turn}, although nothing had been pushed to it "
        f"since the {ended(reset)} at turn {reset.turn}."
    )
    report.violation(reset, irq, sentence, "reset" if reset.kind == RESET_RET else "queue_reset")
