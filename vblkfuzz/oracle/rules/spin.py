"""The rule of the spinning thread: L6. A thread with nothing to do sleeps.

L5 is about a device that never settles. One that spins in a drained section, or while the VM is
stopped, and sleeps afterwards, does settle. It wastes a core, and the sections of a VMM may be
long. On the model each operation waits until all threads sleep, so there such a spin never settles,
and L5 has it. On a real device the harness goes on when only the main thread runs and nothing is
left for it to do, and records that (`targets.spin`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vblkfuzz.oracle.rule import Report, rule
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import (
    DRAIN_CALL,
    DRAIN_END,
    DRIVER_INIT,
    OP,
    RESET_RET,
    RESTORED,
    SAVED,
    STEP_LIMIT,
    VM_CONT,
    VM_STOP_RET,
)
from vblkfuzz.trace.witness import Witness

_RESET: Final = "reset"


@rule(
    "L6",
    title="A thread sleeps while it has nothing to do.",
    source="QEMU aio_poll, aio_disable_external, virtio_queue_host_notifier_read",
    instead="While a notifier must not be handled, no thread polls it.",
    needs=(
        OP,
        DRAIN_CALL,
        DRAIN_END,
        DRIVER_INIT,
        RESET_RET,
        VM_STOP_RET,
        VM_CONT,
        SAVED,
        RESTORED,
        STEP_LIMIT,
    ),
    decisive=(STEP_LIMIT,),
    witnesses=Witness.REST,
    path="none",
    no_situations="each execution puts it to the test",
)
def L6(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """The state says why it should sleep: drained, saved, stopped, reset, or nothing of that."""
    states = {"drained": False, "saved": False, "stopped": False, _RESET: True}
    last = events[0]
    for event in events:
        if event.kind == OP:
            last = event
        elif event.kind == STEP_LIMIT:
            if event.flag:
                state = next((name for name, holds in states.items() if holds), "running")
                _report(last, event, state, report)
        else:
            name, holds = _change(event)
            states[name] = holds


def _change(event: Event) -> tuple[str, bool]:
    """Return the state that an event begins or ends."""
    if event.kind in (DRAIN_CALL, DRAIN_END):
        return "drained", event.value > 0
    if event.kind in (SAVED, RESTORED):
        return "saved", event.kind == SAVED
    if event.kind in (VM_STOP_RET, VM_CONT):
        return "stopped", event.kind == VM_STOP_RET
    return _RESET, event.kind == RESET_RET


def _report(last: Event, spins: Event, state: str, report: Report) -> None:
    sentence = (
        f"The main thread runs on and on (turn {spins.turn}), although nothing is pending after "
        f"operation {last.value}, which began at turn {last.turn}: the device is "
        f"{'not set up' if state == _RESET else state}."
    )
    report.violation(last, spins, sentence, state)
