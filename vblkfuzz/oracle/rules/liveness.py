"""Rules of progress: L2, L3 and L5. What must happen by the end of a trace.

A trace ends with END when everything has settled, so anything that has not happened by then never
will. A trace without END is a partial one and is not judged by L2 and L3. A trace that ends with
STEP_LIMIT did not settle, which L5 reports. The rule of kicks is in `oracle.rules.kicks`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vblkfuzz.oracle.ended import is_unplug
from vblkfuzz.oracle.naming.circumstance import unfinished, waits_for
from vblkfuzz.oracle.operation import operation_of
from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.oracle.rules.operational import hostile_queues, must_serve
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import ActorId, Event
from vblkfuzz.trace.kinds import (
    CANCEL,
    DRAIN_CALL,
    DRAIN_RET,
    END,
    IO_DONE,
    OP,
    PARK,
    POP,
    PUSH,
    QUEUE_RESET,
    RESET_CALL,
    RESET_RET,
    STEP_LIMIT,
    STOP_CALL,
    STOP_RET,
    UNPARK,
    VM_STOP_CALL,
    VM_STOP_RET,
)
from vblkfuzz.trace.witness import Witness

DRAIN_WAITED = Situation("drain_waited", "A request ended while a drain waited.")
RESET_WAITED = Situation("reset_waited", "A request ended while a reset waited.")
PARKED_COMPLETED = Situation(
    "parked_request_completed", "A parked request went on and was pushed.", witnesses=Witness.DEVICE
)


@rule(
    "L2",
    title="Drains, stops, resets and register writes return.",
    source="QEMU bdrv_drained_begin, virtio_bus_stop_ioeventfd, virtio_reset, do_vm_stop",
    instead=(
        "While a drain, stop, reset or register write waits, the code that it waits for can run."
    ),
    needs=(
        DRAIN_CALL,
        DRAIN_RET,
        STOP_CALL,
        STOP_RET,
        RESET_CALL,
        RESET_RET,
        VM_STOP_CALL,
        VM_STOP_RET,
        IO_DONE,
        END,
    ),
    situations=(DRAIN_WAITED, RESET_WAITED),
    witnesses=Witness.GUEST | Witness.REST,
    leads_to=("S11", "L1", "L2", "L3", "L4"),
    circumstance=waits_for,
)
def L2(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """The calls of one actor are nested; each must have returned at END."""
    open_calls: list[tuple[Event, int]] = []  # with the number of completions before
    done = 0
    for event in events:
        kind = event.kind
        if kind == IO_DONE:
            done += 1
        elif kind in _RETURNS:
            before = _close(event, open_calls)
            if before is not None and done > before:
                _note_wait(event, report)
        elif kind != END:
            open_calls.append((event, done))
        else:
            for call, _ in reversed(open_calls):  # innermost first: the others wait for it
                what = "unplug" if is_unplug(call) else _NAMES.get(call.kind, _CALLS[call.kind])
                sentence = (
                    f"The {what} that was called at turn {call.turn} had not "
                    f"returned when everything had settled (turn {event.turn})."
                )
                report.violation(call, event, sentence, _CALLS[call.kind])
            if event.flag and not open_calls:
                _report_unanswered(event, report)


_RETURNS: Final = {
    DRAIN_RET: DRAIN_CALL,
    STOP_RET: STOP_CALL,
    RESET_RET: RESET_CALL,
    VM_STOP_RET: VM_STOP_CALL,
}
_CALLS: Final = {
    DRAIN_CALL: "drain",
    STOP_CALL: "stop",
    RESET_CALL: "reset",
    VM_STOP_CALL: "vm_stop",
}
_NAMES: Final = {VM_STOP_CALL: "stop of the VM"}
"""In a sentence, where that differs."""


def _close(ret: Event, open_calls: list[tuple[Event, int]]) -> int | None:
    """Remove the innermost call that `ret` can end; return the number of completions before it."""
    called = _RETURNS[ret.kind]
    place = len(open_calls)
    while place:
        place -= 1
        call, done = open_calls[place]
        if call.kind == called and call.actor == ret.actor:
            del open_calls[place]
            return done
    return None


def _report_unanswered(end: Event, report: Report) -> None:
    """Report a driver that waits for ever, although no call that has an event is open."""
    before = [event for event in report.events if event.actor in (ActorId.GUEST, ActorId.VCPU)]
    last = before[-1] if before else report.events[0]
    sentence = (
        f"The driver still waited when everything had settled (turn {end.turn}): the device has "
        f"not returned from a register write of turn {last.turn} or later."
    )
    report.violation(last, end, sentence, "register_write")


def _note_wait(ret: Event, report: Report) -> None:
    if ret.kind == DRAIN_RET:
        report.met(DRAIN_WAITED)
    elif ret.kind == RESET_RET:
        report.met(RESET_WAITED)


@rule(
    "L3",
    title="What was dequeued is pushed.",
    source="virtio 1.2, 2.7.8; QEMU blk_root_drained_end, virtio_blk_dma_restart_cb",
    instead=(
        "Each request that was dequeued is pushed, also after a drain, a stop or an error held "
        "it up."
    ),
    needs=(
        POP,
        PARK,
        UNPARK,
        PUSH,
        CANCEL,
        RESET_RET,
        QUEUE_RESET,
        END,
    ),
    situations=(PARKED_COMPLETED,),
    witnesses=Witness.POP | Witness.MEMORY | Witness.REST,
    circumstance=unfinished,
)
def L3(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """Parked requests and those of the retry list count, unless a reset cancelled them.

    The rule does not apply to a device that need not serve (`must_serve`), nor to queues on which
    the guest broke the protocol.
    """
    waiting: dict[int, Event] = {}
    parked: set[int] = set()
    for event in events:
        kind = event.kind
        if kind == POP:
            waiting[event.request] = event
        elif kind == PUSH:
            waiting.pop(event.request, None)
            if event.request in parked:
                report.met(PARKED_COMPLETED)
        elif kind == PARK:
            parked.add(event.request)
        elif kind == END:
            if waiting and must_serve(report.events, scenario.device.ioeventfd):
                _report_waiting(waiting, event, events, report)
        elif kind in _ENDS_REQUESTS:
            _drop(event, waiting)


_ENDS_REQUESTS: Final = frozenset({CANCEL, QUEUE_RESET, RESET_RET})


def _drop(event: Event, waiting: dict[int, Event]) -> None:
    """Remove the requests that a cancel, a queue reset or a reset ends."""
    for request, pop in list(waiting.items()):
        if event.kind == RESET_RET or (
            request == event.request if event.kind == CANCEL else pop.queue == event.queue
        ):
            del waiting[request]


def _report_waiting(
    waiting: dict[int, Event], end: Event, events: Sequence[Event], report: Report
) -> None:
    hostile = hostile_queues(report.events)
    for pop in waiting.values():
        if pop.queue not in hostile:
            last = _last_of(pop, events)
            sentence = (
                f"Request {pop.request}, dequeued at turn {pop.turn}, had not been pushed when "
                f"everything had settled (turn {end.turn})."
            )
            report.violation(pop, end, sentence, "parked" if last.kind == PARK else "popped")


def _last_of(pop: Event, events: Sequence[Event]) -> Event:
    return [event for event in events if event.request == pop.request][-1]


@rule(
    "L5",
    title="Everything settles: no endless sequence of wake-ups.",
    source="QEMU virtio_queue_empty of a broken device, aio_poll; limits.MAX_STEPS",
    instead="The device sleeps once nothing is left to do.",
    needs=(OP, STEP_LIMIT),
    witnesses=Witness.REST,
    decisive=(STEP_LIMIT,),
    leads_to=("L1", "L2", "L3", "L4"),
    no_situations="each execution puts it to the test",
)
def L5(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """The harness gave up, because the device was busy after `limits.MAX_STEPS` steps."""
    last = events[0]
    for event in events:
        if event.kind == OP:
            last = event
        elif not event.flag:
            sentence = (
                f"The device had not settled after {operation_of(last)}, which began at turn "
                f"{last.turn}; the harness gave up at turn {event.turn}."
            )
            report.violation(last, event, sentence)
