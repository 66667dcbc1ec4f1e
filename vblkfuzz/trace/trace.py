"""A trace: everything that happened in one execution, in one total order."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

from vblkfuzz.trace.event import EVENT_RECORD, Event
from vblkfuzz.trace.fault import Fault
from vblkfuzz.trace.witness import MODEL, Witness


@dataclass(frozen=True, slots=True)
class Trace:
    """Events in the order they happened. Only whole traces are judged (see TraceOverflow)."""

    events: tuple[Event, ...]
    steps: int = 0
    """Preemption points passed."""
    points: tuple[int, ...] = ()
    """Those of each operation, until the next one started; known in `inline` mode only."""
    obeyed: tuple[bool, ...] = ()
    """Of each deviation that was reached: whether it changed who went on, to whom it says; known
    in `inline` mode only."""
    handovers: int = 0
    """Times the turnstile handed over between processes; 0 in `inline` mode."""
    witnesses: Witness = MODEL
    """How the target knows all this; decides which rules can judge it."""
    report: str = ""
    """Last words of a device process that crashed or hung: standard error, exit status, backtrace.
    For people; no part of the digest."""
    fault: Fault | None = None
    """What the own code of a user's device did wrong, if the trace ends in that."""

    @property
    def digest(self) -> str:
        """32 hex digits that are equal for equal traces, on any machine and in any mode."""
        pack = EVENT_RECORD.pack
        return blake2b(
            b"".join([pack(*event) for event in self.events]), digest_size=16
        ).hexdigest()
