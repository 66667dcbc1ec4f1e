"""The rule of re-entrancy: S12.

Start, stop and the handler of a queue change state in several steps. None of them may begin again
before it has ended, neither nested in the same thread nor concurrently in another one. A device
that is started is not started again, and one that is stopped is not stopped again. Source: the
guards (starting, stopping, started) of QEMU virtio_blk_start_ioeventfd and
virtio_blk_stop_ioeventfd; QEMU aio_dispatch_handler, run_poll_handlers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vblkfuzz.oracle.naming.circumstance import inside_or_beside
from vblkfuzz.oracle.naming.consequence import STAYS_ATTACHED
from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import HANDLER, HANDLER_END, START_CALL, START_RET, STOP_CALL, STOP_RET

HANDLER_IN_START = Situation("handler_in_start", "A handler began while the device started.")
HANDLER_IN_STOP = Situation("handler_in_stop", "A handler began while the device stopped.")


@rule(
    "S12",
    title="Start, stop and a queue's handler are not re-entered; each start has one stop.",
    source="QEMU virtio_blk_start_ioeventfd, virtio_blk_stop_ioeventfd, run_poll_handlers",
    instead=(
        "Start and stop have no effect while either of them is under way or if the device is in "
        "that state already, and an event loop does not call a handler that has not returned."
    ),
    needs=(
        START_CALL,
        START_RET,
        STOP_CALL,
        STOP_RET,
        HANDLER,
        HANDLER_END,
    ),
    situations=(HANDLER_IN_START, HANDLER_IN_STOP),
    handlers_alike=True,
    attaching_alike="handler-beside",
    leads_to=(*STAYS_ATTACHED, "S1", "S10", "S12", "L1"),
    circumstance=inside_or_beside,
)
def S12(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """A failed start counts as a start: the dataplane is disabled until a stop.

    Handlers that a vCPU calls directly (flag 1) do not count for the situations.
    """
    handlers: dict[int, Event] = {}
    calls: list[Event] = []  # starts and stops under way, innermost last
    started = False
    change = events[0]  # the last return of a start or stop
    for event in events:
        kind = event.kind
        if kind == HANDLER:
            running = handlers.get(event.queue)
            if running is not None:
                _report_handler(running, event, report)
            handlers[event.queue] = event
            if calls and event.flag == 0:
                in_start = calls[-1].kind == START_CALL
                report.met(HANDLER_IN_START if in_start else HANDLER_IN_STOP)
        elif kind == HANDLER_END:
            handlers.pop(event.queue, None)
        elif kind in _CALLS:
            if calls:
                _report_call(calls[-1], event, f"in_{_CALLS[calls[-1].kind]}", report)
            elif started == (kind == START_CALL):
                _report_call(change, event, "again", report)
            calls.append(event)
        else:  # START_RET, STOP_RET
            started, change = kind == START_RET, event
            if calls:
                calls.pop()


_CALLS: Final = {START_CALL: "start", STOP_CALL: "stop"}


def _report_handler(running: Event, handler: Event, report: Report) -> None:
    sentence = (
        f"The handler of queue {handler.queue} was entered at turn {handler.turn}, but the run "
        f"that began at turn {running.turn} had not ended."
    )
    report.violation(running, handler, sentence, "handler")


def _report_call(first: Event, call: Event, how: str, report: Report) -> None:
    what = _CALLS[call.kind]
    if how == "again":
        state = "started" if call.kind == START_CALL else "stopped"
        since = "" if first is call else f" since turn {first.turn}"
        sentence = f"A {what} began at turn {call.turn}, but the device was {state}{since}."
    else:
        sentence = (
            f"A {what} began at turn {call.turn}, inside the {_CALLS[first.kind]} that began at "
            f"turn {first.turn}."
        )
    report.violation(first, call, sentence, f"{what}_{how}")
