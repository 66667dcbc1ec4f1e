"""A trace as Chrome trace events, the JSON that Perfetto (and chrome://tracing) opens.

There is a track for each thread, grouped by process; counters from `triage.timeline`; a slice for
each call, until it returns; an arc for each request from its pop to its end. In a crash or a hang
they end with the trace. Time is logical: event n is at n microseconds, because a trace has an order
but no clock.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from vblkfuzz.errors import UsageError
from vblkfuzz.export.export import Export
from vblkfuzz.export.licence import SPDX
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
from vblkfuzz.triage.step import BACKEND, GUEST, IOTHREADS, MAIN, MONITOR, VCPU, WORKER, Step

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
    MONITOR: (2, 5),
    WORKER: (2, 6),
    BACKEND: (3, 1),
    "": (4, 1),
}
"""Process and thread number of each lane."""
_DEVICE: Final = 2
"""Process of the arcs of requests: both ends of one must name the same process."""
_PROCESSES: Final = {1: "guest", 2: "device", 3: "backend", 4: "scenario"}

_RETURN_OF: Final[dict[int, int]] = {
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
    run = case.outcome.run
    about = {"input": case.outcome.input, "verdict": run.verdict, "licence": SPDX}
    document = {"traceEvents": events, "displayTimeUnit": "ns", "otherData": about}
    return json.dumps(document, indent=1) + "\n"


def trace_events(steps: Sequence[Step]) -> Iterator[Json]:
    """Yield the Chrome trace events of a story."""
    yield from _names()
    ends = _ends(steps)
    for time, step in enumerate(steps):
        yield _slice(step, time, ends[time]) if time in ends else _instant(step, time)
        yield from _counters(step, time)
    yield from _requests(steps)


def _requests(steps: Sequence[Step]) -> Iterator[Json]:
    """Yield an arc for each request, from its pop to its end, or to the end of the trace."""
    under_way: dict[int, Step] = {}
    for time, step in enumerate(steps):
        serial = step.event.request
        changes = step.event.kind == POP or step.event.kind in _REQUEST_ENDS
        if changes and serial in under_way:  # one that is popped twice has two arcs
            del under_way[serial]
            yield _request(step, time, "e")
        if step.event.kind == POP:
            yield _request(step, time, "b")
            under_way[serial] = step
    for step in under_way.values():
        yield _request(step, len(steps), "e")


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


def _ends(steps: Sequence[Step]) -> dict[int, int]:
    """Return the time at which each call returns, by the time of the call.

    A call that does not return lasts until the call around it does, or to the end of the trace.
    """
    ends: dict[int, int] = {}
    under_way: dict[str, list[int]] = {lane: [] for lane in _TRACKS}
    for time, step in enumerate(steps):
        calls = under_way[step.lane]
        if step.event.kind in _RETURN_OF:
            calls.append(time)
        else:
            at = next((at for at in reversed(calls) if _returns(step, steps[at])), time)
            while calls and calls[-1] >= at:
                ends[calls.pop()] = time
    return ends | {at: len(steps) for calls in under_way.values() for at in calls}


def _returns(step: Step, call: Step) -> bool:
    """Return whether a step is the return of a call on the same track."""
    return (step.event.kind, step.event.queue) == (_RETURN_OF[call.event.kind], call.event.queue)


def _slice(step: Step, time: int, end: int) -> Json:
    return {**_at(step, time, "X"), "dur": end - time}


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
        yield {"name": name, "ph": "C", "ts": time, "pid": _DEVICE, "args": args}


def _request(step: Step, time: int, phase: str) -> Json:
    serial = step.event.request
    about = {"name": f"request {serial}", "cat": "request", "id": serial, "pid": _DEVICE}
    return {**_at(step, time, phase), **about}


EXPORT: Final = Export(summary="the trace of one input, for ui.perfetto.dev", text=perfetto_text)
