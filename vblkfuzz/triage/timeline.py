"""The state of the machine after each event of a trace: ring, notifier, counters, requests.

`states` is a fold over the events; it uses neither clock nor device. Terminal, HTML report and
Perfetto export all show its result. The meaning of the events: `vblkfuzz.trace.kinds`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from vblkfuzz.trace.event import NO_QUEUE
from vblkfuzz.trace.kinds import (
    ATTACH,
    BROKEN,
    CANCEL,
    DETACH,
    DRAIN_CALL,
    DRAIN_END,
    DRAIN_RET,
    DRIVER_INIT,
    IO_DONE,
    NOTIFICATION,
    NOTIFIER_CLOSE,
    NOTIFIER_OPEN,
    PARK,
    POLL_BEGIN,
    POLL_END,
    POP,
    PUBLISH,
    PUSH,
    QUEUE_RESET,
    RESET_RET,
    RESUMED,
    RETRY,
    START_CALL,
    START_RET,
    STATUS,
    STOP_CALL,
    STOP_RET,
    SUBMIT,
    UNPARK,
    VM_CONT,
    VM_STOP_RET,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vblkfuzz.trace.event import Event

Stage = Literal["taken", "parked", "in flight", "ended", "retry"]
"""Where a dequeued request is: in the device, parked by the BlockBackend, in the backend, ended by
the backend but not pushed, waiting for `cont`."""

DEVICE_OFF: Final = "off"


class QueueState(NamedTuple):
    """One virtqueue and its host notifier."""

    avail: int = 0
    """avail idx: entries that the guest has published."""
    taken: int = 0
    """last_avail: entries that the device has dequeued."""
    used: int = 0
    """used idx: entries that the device has pushed."""
    wants_kicks: bool = True
    """The device asks for kicks (it advances avail_event, or has not set NO_NOTIFY)."""
    notifier_open: bool = False
    attached_to: int | None = None
    """AioContext (an ActorId) whose event loop watches the notifier."""
    polled: bool = False


class State(NamedTuple):
    """The state of the machine at one moment, as far as the trace records it."""

    queues: tuple[QueueState, ...]
    requests: tuple[tuple[int, Stage], ...] = ()
    """Stage of each request that is dequeued and not pushed, by serial."""
    device: str = DEVICE_OFF
    """off, starting, running, failed, stopping, broken."""
    status: int = 0
    """Device status that the driver wrote last."""
    vm_running: bool = True
    epoch: int = 0
    """Number of resets so far."""
    quiesce_counter: int = 0
    first_index: int = 0
    """Index that a new ring begins with."""
    drained: bool = False
    """A drained section is open: from the first return of a drain to the last end."""

    def at(self, stage: Stage) -> list[int]:
        """Return the requests at a stage."""
        return [serial for serial, where in self.requests if where == stage]


def states(events: Iterable[Event]) -> list[State]:
    """Return the state after each event, beginning with a machine that is just powered on."""
    events = list(events)
    count = max((event.queue + 1 for event in events if event.queue != NO_QUEUE), default=1)
    # The first index is a field of the scenario's device; the driver records it.
    first = next((event.value for event in events if event.kind == DRIVER_INIT), 0)
    fresh = QueueState(first, first, first)
    state = State((fresh,) * count, first_index=first)
    found = []
    for event in events:
        change = _CHANGES.get(event.kind)
        state = change(state, event) if change else state
        found.append(state)
    return found


Change = Callable[[State, "Event"], State]


def _queue(**fields: Any) -> Change:  # noqa: ANN401  # as QueueState._replace
    """Set fields of the event's queue."""
    return lambda state, event: _with_queue(state, event, fields)


def _with_queue(state: State, event: Event, fields: dict[str, Any]) -> State:
    if event.queue == NO_QUEUE:
        return state
    queues = list(state.queues)
    queues[event.queue] = queues[event.queue]._replace(**fields)
    return state._replace(queues=tuple(queues))


def _queue_value(field: str) -> Change:
    """Set a field of the event's queue to the event's value."""
    return lambda state, event: _with_queue(state, event, {field: event.value})


def _device(name: str) -> Change:
    return lambda state, event: state._replace(device=name)


def _stage(stage: Stage | None) -> Change:
    """Move the event's request to a stage; None: it has left the device."""

    def change(state: State, event: Event) -> State:
        requests = dict(state.requests)
        requests.pop(event.request, None)
        if stage is not None:
            requests[event.request] = stage
        return state._replace(requests=tuple(sorted(requests.items())))

    return change


_TAKEN, _GONE = _stage("taken"), _stage(None)


def _pop(state: State, event: Event) -> State:
    return _TAKEN(_with_queue(state, event, {"taken": event.value}), event)


def _push(state: State, event: Event) -> State:
    return _GONE(_with_queue(state, event, {"used": event.value}), event)


def _driver_init(state: State, event: Event) -> State:
    """Empty the rings of the driver; only a reset clears the device's own counters."""
    first = state.first_index
    return state._replace(queues=tuple(one._replace(avail=first) for one in state.queues))


def _reset_ret(state: State, event: Event) -> State:
    """Clear the rings; requests that the reset has not cancelled stay."""
    queues = tuple(_cleared(queue, state) for queue in state.queues)
    return state._replace(queues=queues, epoch=state.epoch + 1, device=DEVICE_OFF)


def _queue_reset(state: State, event: Event) -> State:
    if event.queue == NO_QUEUE:
        return state
    return _with_queue(state, event, _cleared(state.queues[event.queue], state)._asdict())


def _cleared(queue: QueueState, state: State) -> QueueState:
    first = state.first_index
    return queue._replace(avail=first, taken=first, used=first, wants_kicks=True)


def _drain_ret(state: State, event: Event) -> State:
    return state._replace(drained=True)


def _drain_end(state: State, event: Event) -> State:
    return state._replace(quiesce_counter=event.value, drained=state.drained and event.value != 0)


_CHANGES: Final[dict[int, Change]] = {
    PUBLISH: _queue_value("avail"),
    DRIVER_INIT: lambda state, event: state if event.flag else _driver_init(state, event),
    STATUS: lambda state, event: state._replace(status=event.value),
    RESET_RET: _reset_ret,
    QUEUE_RESET: _queue_reset,
    START_CALL: _device("starting"),
    START_RET: lambda state, event: state._replace(device="failed" if event.flag else "running"),
    STOP_CALL: _device("stopping"),
    STOP_RET: _device(DEVICE_OFF),
    BROKEN: _device("broken"),
    ATTACH: _queue_value("attached_to"),
    DETACH: _queue(attached_to=None, polled=False),
    NOTIFIER_OPEN: _queue(notifier_open=True),
    NOTIFIER_CLOSE: _queue(notifier_open=False),
    NOTIFICATION: lambda state, event: _with_queue(state, event, {"wants_kicks": bool(event.flag)}),
    POLL_BEGIN: _queue(polled=True),
    POLL_END: _queue(polled=False),
    POP: _pop,
    SUBMIT: _stage("in flight"),
    PARK: _stage("parked"),
    UNPARK: _TAKEN,
    IO_DONE: _stage("ended"),
    PUSH: _push,
    CANCEL: _GONE,
    RETRY: _stage("retry"),
    RESUMED: _stage("retry"),
    DRAIN_CALL: lambda state, event: state._replace(quiesce_counter=event.value),
    DRAIN_RET: _drain_ret,
    DRAIN_END: _drain_end,
    VM_STOP_RET: lambda state, event: state._replace(vm_running=False),
    VM_CONT: lambda state, event: state._replace(vm_running=True),
}
