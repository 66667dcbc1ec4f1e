"""Whether a device must serve its queues at the end of a trace.

Liveness rules hold for an *operational* device only: the driver has set it up in the current epoch,
it is not broken, its dataplane, if it has one, is started, and the VM runs. This is computed from
the whole trace, and only if a rule has found something unserved.
"""

from __future__ import annotations

from collections.abc import Sequence

from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import (
    BROKEN,
    DRIVER_INIT,
    DRIVER_OK,
    HOSTILE,
    RESET_RET,
    START_RET,
    STOP_CALL,
    VM_CONT,
    VM_STOP_CALL,
)


def must_serve(events: Sequence[Event], ioeventfd: bool) -> bool:
    """Whether the device is operational after `events`."""
    driver_ok = broken = started = False
    running = True
    for event in events:
        kind = event.kind
        if kind == RESET_RET:
            driver_ok = broken = False
        elif kind == DRIVER_INIT:
            driver_ok = event.flag == 1
        elif kind == DRIVER_OK:
            driver_ok = True
        elif kind == BROKEN:
            broken = True
        elif kind == START_RET:
            started = True
        elif kind == STOP_CALL:
            started = False
        elif kind == VM_STOP_CALL:
            running = False
        elif kind == VM_CONT:
            running = True
    return driver_ok and running and not broken and (started or not ioeventfd)


def hostile_queues(events: Sequence[Event]) -> set[int]:
    """Return the queues on which the guest broke the protocol in the last epoch of `events`."""
    queues: set[int] = set()
    for event in events:
        if event.kind == HOSTILE:
            queues.add(event.queue)
        elif event.kind == RESET_RET:
            queues.clear()
    return queues
