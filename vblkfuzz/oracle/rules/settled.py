"""When everything has settled before an operation: the device has nothing left to do then.

With an empty schedule an operation runs to its end and the device settles before the next one. But
the device may then wait for what the scenario withholds: for a held request, for the end of a
drained section, for `cont`. It has settled only if it waits for nothing. Next: `calls`, which asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import (
    CANCEL,
    DRAIN_CALL,
    DRAIN_END,
    OP,
    POP,
    PUSH,
    QUEUE_RESET,
    RESET_CALL,
    RESET_RET,
    START_CALL,
    START_RET,
    STOP_CALL,
    STOP_RET,
    VM_CONT,
    VM_STOP_CALL,
)


def has_settled(scenario: Scenario, events: Sequence[Event], operation: Event) -> bool:
    """Whether the device waited for nothing when `operation`, an OP among `events`, started."""
    return left_alone(scenario, events, operation) and not _under_way(
        events[: events.index(operation)]
    )


def left_alone(scenario: Scenario, events: Sequence[Event], operation: Event) -> bool:
    """Whether the device had time to settle, and no section is open, when `operation` started.

    Requests may be in flight.
    """
    before = events[: events.index(operation)]
    last = next((event for event in reversed(before) if event.kind == OP), None)
    if last is None or (not last.head and _is_hasty(scenario, last.value)):
        return False
    return not _open(before)


def _is_hasty(scenario: Scenario, operation: int) -> bool:
    """Whether the schedule may start the next operation without settling first."""
    return any(each.op == operation and each.hurries for each in scenario.schedule)


_BEGUN_BY: Final = {
    DRAIN_END: DRAIN_CALL,
    RESET_RET: RESET_CALL,
    START_RET: START_CALL,
    STOP_RET: STOP_CALL,
    VM_CONT: VM_STOP_CALL,
}


def _open(events: Sequence[Event]) -> bool:
    """Whether a section is drained, the VM is stopped, or a start, stop or reset has not ended.

    The start of a real device is seen when it ends only.
    """
    begun = dict.fromkeys(_BEGUN_BY.values(), 0)
    for event in events:
        kind = event.kind
        if kind in begun:
            begun[kind] += 1
        elif kind in _BEGUN_BY and begun[_BEGUN_BY[kind]]:
            begun[_BEGUN_BY[kind]] -= 1
    return any(begun.values())


def _under_way(events: Sequence[Event]) -> bool:
    """Whether a request was dequeued that has not ended."""
    queues: dict[int, int] = {}
    for event in events:
        if event.kind == POP:
            queues[event.request] = event.queue
        elif event.kind in (PUSH, CANCEL):
            queues.pop(event.request, None)
        elif event.kind == RESET_RET:
            queues.clear()
        elif event.kind == QUEUE_RESET:
            queues = {request: queue for request, queue in queues.items() if queue != event.queue}
    return bool(queues)
