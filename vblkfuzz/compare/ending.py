"""How an execution ended for the guest: with a device at rest, or without one."""

from __future__ import annotations

from signal import Signals
from typing import TYPE_CHECKING, Final

from vblkfuzz.trace.kinds import CRASH, END, HANG, STEP_LIMIT

if TYPE_CHECKING:
    from vblkfuzz.trace.event import Event
    from vblkfuzz.trace.trace import Trace

LIVES: Final = "at rest"
HANGS: Final = "hangs"


def ending_of(trace: Trace) -> str:
    """Return the ending of an execution in words that do not depend on the binary's own text."""
    ends = (event for event in reversed(trace.events) if event.kind in _ENDS and not _spins(event))
    return next(map(_words, ends), "none")


_ENDS: Final = frozenset({END, STEP_LIMIT, CRASH, HANG})


def _spins(event: Event) -> bool:
    """Whether an event is that of a thread that spins, after which the scenario goes on."""
    return event.kind == STEP_LIMIT and bool(event.flag)


def _words(event: Event) -> str:
    if event.kind == END:
        return LIVES
    if event.kind == STEP_LIMIT:
        return "never at rest"
    if event.kind == HANG:
        return HANGS
    return Signals(event.flag).name if event.flag else f"exit {event.value}"
