"""A violation: two events of one trace that a rule does not allow together.

Its `signature` names the bug class: findings are counted, stored and minimized by it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from vblkfuzz.oracle.naming.naming import Naming
from vblkfuzz.oracle.naming.signature import signature
from vblkfuzz.trace.event import NO_QUEUE, Event
from vblkfuzz.trace.fault import path_of
from vblkfuzz.trace.kinds import (
    BROKEN,
    DRAIN_CALL,
    DRAIN_END,
    DRAIN_RET,
    DRAINED_BEGIN,
    DRAINED_END,
    DRIVER_INIT,
    DRIVER_OK,
    QUEUE_RESET,
    RESET_CALL,
    RESET_RET,
    RESTORED,
    SAVED,
    START_CALL,
    START_RET,
    STOP_CALL,
    STOP_RET,
    VM_CONT,
    VM_STOP_CALL,
    VM_STOP_RET,
)
from vblkfuzz.trace.schedule_kinds import GOES_ON, HELD
from vblkfuzz.trace.trace import Trace

_CONTEXT: Final = frozenset(
    {
        DRIVER_INIT,
        DRIVER_OK,
        RESET_CALL,
        RESET_RET,
        QUEUE_RESET,
        START_CALL,
        START_RET,
        STOP_CALL,
        STOP_RET,
        BROKEN,
        DRAIN_CALL,
        DRAIN_RET,
        DRAIN_END,
        DRAINED_BEGIN,
        DRAINED_END,
        VM_STOP_CALL,
        VM_STOP_RET,
        VM_CONT,
        SAVED,
        RESTORED,
        HELD,
        GOES_ON,
    }
)
"""Kinds that a window keeps for every queue, because they decide what is allowed, or its order."""


@dataclass(frozen=True, slots=True)
class Violation:
    """Two events of one trace that a rule does not allow together."""

    rule: str
    """Identifier of the rule, as in `Rule.id`."""
    first: Event
    """The event that makes the second one wrong; the same event if it is wrong by itself."""
    second: Event
    """The event that clashes."""
    sentence: str
    """The clash in one plain English sentence."""
    state: str = ""
    """Variant of the clash, if the rule has several: a slug without numbers."""
    naming: Naming = field(default=Naming(), repr=False)
    """How the rule names its violations."""

    @property
    def path(self) -> str:
        """Causal path of the clashing event, outermost function first; empty for a fault."""
        return path_of(self.second)

    @property
    def signature(self) -> str:
        """Stable name of the bug class: rule, causal path, state. Safe as a folder name."""
        return signature(self.rule, self.naming, self.path, self.state)

    def window(self, trace: Trace) -> tuple[Event, ...]:
        """Return the shortest part of `trace` that still shows the clash.

        It reaches from the first event to the second and has the events of their requests and
        queues, all drains, resets, starts, stops, saves and restores, and threads being held.

        Raises:
            ValueError: one of the two events is not in `trace`.
        """
        places = sorted((trace.events.index(self.first), trace.events.index(self.second)))
        requests = {self.first.request, self.second.request} - {0}
        queues = {self.first.queue, self.second.queue} - {NO_QUEUE}
        return tuple(
            event
            for event in trace.events[places[0] : places[1] + 1]
            if event in (self.first, self.second)
            or event.request in requests
            or event.queue in queues
            or event.kind in _CONTEXT
        )
