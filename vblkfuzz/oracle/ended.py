"""What has ended, in the sentence of a violation: an unplug is recorded as a reset, and is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.trace.event import Frame, frames_of
from vblkfuzz.trace.kinds import KINDS, QUEUE_RESET, RESET_CALL, STOP_RET

if TYPE_CHECKING:
    from vblkfuzz.trace.event import Event

_UNPLUG: Final = KINDS[RESET_CALL].flags.index("unplug")


def ended(end: Event) -> str:
    """Return what a STOP_RET, RESET_RET or QUEUE_RESET ends, in words.

    >>> from vblkfuzz.trace.event import Event
    >>> from vblkfuzz.trace.kinds import RESET_RET
    >>> ended(Event(9, RESET_RET, path=Frame.RESET)), ended(Event(9, RESET_RET, path=Frame.REPLUG))
    ('reset', 'unplug')
    """
    if end.kind == STOP_RET:
        return "stop"
    if end.kind == QUEUE_RESET:
        return "reset of the queue"
    return "unplug" if Frame.REPLUG in frames_of(end) else "reset"


def is_unplug(call: Event) -> bool:
    """Return whether a RESET_CALL is that of an unplug."""
    return call.kind == RESET_CALL and call.flag == _UNPLUG
