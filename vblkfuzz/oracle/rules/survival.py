"""Rules of the device process: CRASH and HANG.

No action of a guest, an operator or a backend may end a device process or stop it from answering.
In a trace of the model these events mean that the own code of a user's device has failed.
`Trace.fault` says where, and the bug is named by it. The last output of a process, or the stack, is
in `Trace.report`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vblkfuzz.oracle.naming.naming import Naming
from vblkfuzz.oracle.naming.use_after_unplug import NAME, parked_at_unplug
from vblkfuzz.oracle.operation import operation_of
from vblkfuzz.oracle.rule import Report, rule
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace import kinds
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.fault import CLOSES, REFUSES, VIOLATES, Fault, signal_name
from vblkfuzz.trace.kinds import OP
from vblkfuzz.trace.witness import Witness

_BY_FAULT: Final = Naming(path="none")
"""The fault names the place, and the path of the event is a digest of it."""


@rule(
    "CRASH",
    title="The device does not fail: no error of its own ends it.",
    source="exceptions, assertions and signals; virtio 1.2, 2.1.2 (DEVICE_NEEDS_RESET)",
    instead="Whatever the guest does, the device goes on, or asks for a reset and works after it.",
    needs=(OP, kinds.CRASH),
    witnesses=Witness.PROCESS,
    decisive=(kinds.CRASH,),
    no_situations="each execution puts it to the test",
)
def CRASH(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """Each place has its own signature: the line, the assertion, or the function that failed.

    A process that refuses the state which it has saved itself is none to go on with, either, nor is
    one that breaks the protocol of its connection.
    Only where the place is chance (`naming.use_after_unplug`), the cause has one.
    """
    last = events[0]
    for event in events:
        if event.kind == kinds.CRASH:
            _report_crash(last, event, report)
        else:
            last = event


def _report_crash(last: Event, crash: Event, report: Report) -> None:
    fault = report.fault
    if fault:
        what = f"The device {_failure(fault)}, {_when(last, crash)}"
    else:
        what = (
            f"The device process {_ending(crash)} at turn {crash.turn}, during "
            f"{operation_of(last)}, which began at turn {last.turn}"
        )
    parked = parked_at_unplug(fault, crash, report.events)
    if parked is not None:
        what += f"; request {parked.request}, dequeued at turn {parked.turn}, was parked then"
    state = NAME if parked else fault.name if fault else _state(crash)
    by_place = fault is not None or parked is not None
    report.violation(last, crash, f"{what}.", state, _BY_FAULT if by_place else None)


def _failure(fault: Fault) -> str:
    told = f" ({fault.message})" if fault.message else ""
    place = told + (f" in {fault.where}" if fault.where else "")
    if fault.signal:
        return f"process was ended by {fault.what}{place}"
    if fault.what == REFUSES:
        return f"process cannot load the state that it has saved{place}"
    if fault.what == CLOSES:
        return "process closed a new connection instead of an answer"
    if fault.what == VIOLATES:
        return f"process gave an answer that the protocol does not allow{place}"
    if fault.what == "exit":
        return f"process ended with exit status {fault.status}{place}"
    return f"raised {fault.what}{place}"


def _when(last: Event, event: Event) -> str:
    if last.kind != OP:
        return "before the first operation"
    return f"at turn {event.turn}, during {operation_of(last)}, which began at turn {last.turn}"


def _ending(crash: Event) -> str:
    if crash.flag:
        return f"was ended by {signal_name(crash.flag)}"
    return f"ended with exit status {crash.value}"


def _state(crash: Event) -> str:
    return signal_name(crash.flag).lower() if crash.flag else "exit"


@rule(
    "HANG",
    title="The device process goes on answering operator and guest.",
    source="QEMU bdrv_drained_begin, AIO_WAIT_WHILE, bql",
    instead="No thread waits under the BQL for something that can happen only without it.",
    needs=(OP, kinds.HANG),
    witnesses=Witness.PROCESS,
    decisive=(kinds.HANG,),
    no_situations="each execution puts it to the test",
)
def HANG(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """An answer was due, and the threads of the process slept or ran on without it."""
    last = events[0]
    for event in events:
        if event.kind == kinds.HANG and report.fault:
            sentence = f"{_waiting(report.fault)}, {_when(last, event)}."
            report.violation(last, event, sentence, report.fault.name, _BY_FAULT)
        elif event.kind == kinds.HANG:
            who = "guest" if event.flag else "operator"
            sentence = (
                f"The {who} got no answer from the device process (turn {event.turn}) in "
                f"{operation_of(last)}, which began at turn {last.turn}."
            )
            report.violation(last, event, sentence, who)
        else:
            last = event


def _waiting(fault: Fault) -> str:
    """Return what waits in which functions; a user's device is known to run and never to end."""
    if not fault.what:
        return f"The device never ends {fault.where}"
    return f"The {fault.what} got no answer from the device process: {fault.message}"
