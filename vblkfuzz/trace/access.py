"""Which shared object an event accesses: events of different actors on the same one conflict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.trace.event import NO_QUEUE
from vblkfuzz.trace.kinds import (
    ATTACH,
    CANCEL,
    COLLECT,
    DETACH,
    DRAIN_CALL,
    DRAIN_END,
    DRAIN_RET,
    DRAINED_BEGIN,
    DRAINED_END,
    HANDLER,
    IO_DONE,
    IRQ,
    KICK,
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
    RESET_CALL,
    RESET_RET,
    START_CALL,
    START_RET,
    STATUS,
    STOP_CALL,
    STOP_RET,
    SUBMIT,
    UNPARK,
    USED_EVENT,
)

if TYPE_CHECKING:
    from vblkfuzz.trace.event import Event

_AVAIL, _USED, _NOTIFIER, _QUEUE, _DRAIN, _DEVICE = range(1, 7)
_OBJECTS: Final[dict[int, int]] = {
    **dict.fromkeys((PUBLISH, POP), _AVAIL),
    **dict.fromkeys((PUSH, COLLECT, USED_EVENT, IRQ), _USED),
    **dict.fromkeys((KICK, HANDLER, NOTIFICATION), _NOTIFIER),
    **dict.fromkeys((NOTIFIER_OPEN, NOTIFIER_CLOSE), _NOTIFIER),
    **dict.fromkeys((ATTACH, DETACH, QUEUE_RESET), _QUEUE),
    **dict.fromkeys((POLL_BEGIN, POLL_END), _QUEUE),
    **dict.fromkeys((DRAIN_CALL, DRAIN_END, DRAIN_RET), _DRAIN),
    **dict.fromkeys((DRAINED_BEGIN, DRAINED_END), _DRAIN),
    **dict.fromkeys((SUBMIT, PARK, UNPARK, IO_DONE), _DRAIN),
    **dict.fromkeys((RESET_CALL, RESET_RET, START_RET), _DEVICE),
    **dict.fromkeys((STOP_CALL, STOP_RET, START_CALL), _DEVICE),
    **dict.fromkeys((STATUS, CANCEL), _DEVICE),
}
"""By kind: avail ring, used ring, notifier or handler of a queue; drain counter; state of the
device."""
_KINDS_OF_OBJECTS: Final = 8


def object_of(event: Event) -> int:
    """Return a number for the object that an event accesses; 0: none that others access."""
    what = _OBJECTS.get(event[1], 0)
    if not what or what >= _DRAIN:
        return what
    queue = event[3]
    return what + _KINDS_OF_OBJECTS * (1 + queue) if queue != NO_QUEUE else what
