"""Crashes of a device that is unplugged while it owns a parked request: one bug, one name.

The request goes on in memory that has been freed. Where that ends the process is chance: it depends
on what lies in the memory then. So such a crash is named by what has led to it, and not by its
place. Reasons, and what keeps other crashes apart: docs/decisions/0014.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.oracle.ended import is_unplug
from vblkfuzz.trace.kinds import (
    CANCEL,
    DRAIN_END,
    DRAIN_RET,
    POP,
    PUSH,
    RESET_CALL,
    RESET_RET,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.trace.event import Event
    from vblkfuzz.trace.fault import Fault

NAME: Final = "unplug-parked"
"""Of the crash, in its signature."""


def parked_at_unplug(fault: Fault | None, crash: Event, events: Sequence[Event]) -> Event | None:
    """Return the POP of the parked request that explains a crash; None: it is another bug.

    The crash is a signal of which the program has not said why, inside an unplug, inside a drained
    section. A request that was in flight would have been waited for.
    """
    if not crash.flag or (fault is not None and fault.text):
        return None
    owned: dict[int, Event] = {}
    unplugs = drained = False
    for event in events:
        kind = event.kind
        if event is crash:
            break
        if kind == POP:
            owned[event.request] = event
        elif kind in (PUSH, CANCEL):
            owned.pop(event.request, None)
        elif kind in (RESET_CALL, RESET_RET):
            unplugs = is_unplug(event)
        elif kind == DRAIN_RET:
            drained = True
        elif kind == DRAIN_END:
            drained = drained and event.value != 0
    return next(iter(owned.values()), None) if unplugs and drained else None
