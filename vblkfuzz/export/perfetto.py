"""A trace as Chrome trace events, the JSON that Perfetto (and chrome://tracing) opens.

There is a track for each thread, grouped by process; counters from `triage.timeline`; a slice for
each call, until it returns; an arc for each request from its pop to its end. Time is logical: event
n is at n microseconds, because a trace has an order but no clock.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from vblkfuzz.errors import UsageError
from vblkfuzz.export.export import Export
from vblkfuzz.trace.kinds import (
    CANCEL,
    DRAIN_CALL,
    DRAIN_RET,
    HANDLER,
    HANDLER_END,
    POP,
    PUSH,
    RESET_CALL,
    RESET_RET,
    START_CALL,
    START_RET,
    STOP_CALL,
    STOP_RET,
    VM_STOP_CALL,
    VM_STOP_RET,
)
from vblkfuzz.triage.step import BACKEND, GUEST, IOTHREADS, MAIN, VCPU, Step

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vblkfuzz.triage.case import Case

Json = dict[str, Any]

_TRACKS: Final = {
    GUEST: (1, 1),
    VCPU: (2, 1),
    MAIN: (2, 2),
    IOTHREADS[0]: (2, 3),
    IOTHREADS[1]: (2, 4),
    BACKEND: (3, 1),
    "": (4, 1),
}
"""Process and thread number of each lane."""
_PROCESSES: Final = {1: "guest", 2: "device", 3: "backend", 4: "scenario"}

_ENDS: Final[dict[int, int]] = {
    RESET_CALL: RESET_RET,
    START_CALL: START_RET,
    STOP_CALL: STOP_RET,
    HANDLER: HANDLER_END,
    DRAIN_CALL: DRAIN_RET,
    VM_STOP_CALL: VM_STOP_RET,
}
"""Kind of a call, and the kind of its return."""
_REQUEST_ENDS: Final = frozenset({PUSH, CANCEL})


def perfetto_text(cases: Sequence[Case]) -> str:
    """Return the trace of one case.

    Raises:
        UsageError: there is not exactly one case.
        HarnessError: the case could not be judged.
    """
    if len(cases) != 1:
        raise UsageError(f"perfetto: expected one input, found {len(cases)}; name one finding")
    (case,) = cases
    _ = case.execution  # raises if there is no trace
    events = list(trace_events(case.steps))
    about = {"input": case.outcome.input, "verdict": case.outcome.run.verdict}
    document = {"traceEvents": events, "displayTimeUnit": "ns", "otherData": about}
    return json.dumps(document, indent=1) + "\n"


def trace_events(steps: Sequence[Step]) -> Iterator[Json]:
    """Yield the Chrome trace events of a story."""
    yield from _names()
    for time, step in enumerate(steps):
        yield _slice(steps, time) if step.event.kind in _ENDS else _instant(step, time)
        yield from _counters(step, time)
        if step.event.kind == POP:
            yield _request(step, time, "b")
        elif step.event.kind in _REQUEST_ENDS:
            yield _request(step, time, "e")


def _names() -> Iterator[Json]:
    for process, name in _PROCESSES.items():
        yield {"name": "process_name", "ph": "M", "pid": process, "args": {"name": name}}
    for lane, (process, thread) in _TRACKS.items():
        args = {"name": lane or "operations"}
        yield {"name": "thread_name", "ph": "M", "pid": process, "tid": thread, "args": args}


def _at(step: Step, time: int, phase: str) -> Json:
    process, thread = _TRACKS[step.lane]
    args = {"turn": step.event.turn, "path": step.row.path, "clash": step.clash}
    return {
        "name": f"CLASH: {step.label}" if step.clash else step.label,
        "cat": "trace",
        "ph": phase,
        "ts": time,
        "pid": process,
        "tid": thread,
        "args": {name: value for name, value in args.items() if value != ""},
    }


def _instant(step: Step, time: int) -> Json:
    return {**_at(step, time, "i"), "s": "g" if step.clash else "t"}


def _slice(steps: Sequence[Step], time: int) -> Json:
    """Return a call as a slice that lasts until the call returns, or to the end of the trace."""
    call = steps[time].event
    depth = 0
    for later in range(time, len(steps)):
        event = steps[later].event
        if (event.actor, event.queue) != (call.actor, call.queue):
            continue
        depth += (event.kind == call.kind) - (event.kind == _ENDS[call.kind])
        if depth == 0:
            break
    else:
        later = len(steps)
    return {**_at(steps[time], time, "X"), "dur": later - time}


def _counters(step: Step, time: int) -> Iterator[Json]:
    state = step.state
    figures: dict[str, Json] = {
        "quiesce_counter": {"drains": state.quiesce_counter},
        "requests": {"in flight": len(state.at("in flight")), "parked": len(state.at("parked"))},
    }
    for index, queue in enumerate(state.queues):
        figures[f"queue {index}"] = {
            "avail": queue.avail,
            "taken": queue.taken,
            "used": queue.used,
            "wants kicks": int(queue.wants_kicks),
        }
    for name, args in figures.items():
        yield {"name": name, "ph": "C", "ts": time, "pid": 2, "args": args}


def _request(step: Step, time: int, phase: str) -> Json:
    serial = step.event.request
    event = {**_at(step, time, phase), "name": f"request {serial}", "cat": "request", "id": serial}
    return event


EXPORT: Final = Export(summary="the trace of one input, for ui.perfetto.dev", text=perfetto_text)
