"""Which shared object an event accesses: events of different actors on the same one conflict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.trace import kinds
from vblkfuzz.trace.event import NO_QUEUE

if TYPE_CHECKING:
    from vblkfuzz.trace.event import Event

_AVAIL, _USED, _NOTIFIER, _QUEUE, _DRAIN, _DEVICE = range(1, 7)
_OBJECTS: Final[dict[int, int]] = {
    **dict.fromkeys((kinds.PUBLISH, kinds.POP), _AVAIL),
    **dict.fromkeys((kinds.PUSH, kinds.COLLECT, kinds.USED_EVENT, kinds.IRQ), _USED),
    **dict.fromkeys((kinds.KICK, kinds.HANDLER, kinds.NOTIFICATION), _NOTIFIER),
    **dict.fromkeys((kinds.NOTIFIER_OPEN, kinds.NOTIFIER_CLOSE), _NOTIFIER),
    **dict.fromkeys((kinds.ATTACH, kinds.DETACH, kinds.QUEUE_RESET), _QUEUE),
    **dict.fromkeys((kinds.POLL_BEGIN, kinds.POLL_END), _QUEUE),
    **dict.fromkeys((kinds.DRAIN_CALL, kinds.DRAIN_END, kinds.DRAIN_RET), _DRAIN),
    **dict.fromkeys((kinds.DRAINED_BEGIN, kinds.DRAINED_END), _DRAIN),
    **dict.fromkeys((kinds.SUBMIT, kinds.PARK, kinds.UNPARK, kinds.IO_DONE), _DRAIN),
    **dict.fromkeys((kinds.RESET_CALL, kinds.RESET_RET, kinds.START_RET), _DEVICE),
    **dict.fromkeys((kinds.STOP_CALL, kinds.STOP_RET, kinds.START_CALL), _DEVICE),
    **dict.fromkeys((kinds.STATUS, kinds.CANCEL), _DEVICE),
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
