"""A trace: the events of one execution, in one total order."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

from vblkfuzz.scenario.place import Place
from vblkfuzz.trace.event import EVENT_RECORD, Event
from vblkfuzz.trace.fault import Fault
from vblkfuzz.trace.witness import MODEL, Witness


@dataclass(frozen=True, slots=True)
class Trace:
    """The events of one execution. Only complete traces are judged (see TraceOverflow)."""

    events: tuple[Event, ...]
    steps: int = 0
    """Number of preemption points passed."""
    points: tuple[int, ...] = ()
    """Preemption points passed from the start of each operation until that of the next; in
    `inline` mode only."""
    obeyed: tuple[bool, ...] = ()
    """For each deviation reached: whether it switched to the actor it names; in `inline` mode
    only."""
    overtaken: tuple[tuple[int, int], ...] = ()
    """For each deviation obeyed: the turn before it, and the actor (ActorId) that would have gone
    on; in `inline` mode only."""
    places: tuple[Place | None, ...] = ()
    """For each deviation of the schedule: the place at which it held a thread of a real device.
    None: it did not, or the thread never came to its place; empty if the target holds no threads.
    """
    stops: tuple[tuple[int, ...], ...] = ()
    """For each operation, by the number of a `Role`: how many points of that actor passed in it,
    locks not counted; empty if the target does not count them."""
    neighbours: tuple[int, ...] = ()
    """A number of 32 bits for each pair of events of different threads that followed one another
    (`gate.neighbours`); empty if the target has no gate."""
    handovers: int = 0
    """How often the turnstile handed over between processes; 0 in `inline` mode."""
    witnesses: Witness = MODEL
    """What the target can observe; decides which rules judge the trace."""
    report: str = ""
    """Output of a device process that crashed or hung: standard error, exit status, backtrace.
    For people; not part of the digest."""
    fault: Fault | None = None
    """What the device's own code did wrong, if the trace ends in that and the place is known."""

    @property
    def digest(self) -> str:
        """32 hex digits; equal for equal events, on any machine and in any mode."""
        pack = EVENT_RECORD.pack
        return blake2b(
            b"".join([pack(*event) for event in self.events]), digest_size=16
        ).hexdigest()
