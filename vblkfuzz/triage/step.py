"""One step of a story: an event in words, its lane, and the state after it.

There is a lane for each actor: guest, vCPU, main loop, IOThreads, backend; of real devices also for
the threads that read commands and do I/O. Events of the harness about the scenario itself (for
example, which operation starts) belong to no lane.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.trace import render
from vblkfuzz.trace.event import ActorId
from vblkfuzz.trace.kinds import CRASH, END, HANG, OP, STEP_LIMIT
from vblkfuzz.trace.schedule_kinds import GOES_ON, HELD
from vblkfuzz.triage.timeline import State, states

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.oracle.violation import Violation
    from vblkfuzz.trace.event import Event
    from vblkfuzz.trace.render import Row

GUEST, VCPU, MAIN, BACKEND = "guest", "vCPU", "main loop", "backend"
IOTHREADS: Final = ("iothread 0", "iothread 1")
MONITOR, WORKER = "monitor", "worker"
_ALL: Final = (GUEST, VCPU, MAIN, *IOTHREADS, MONITOR, WORKER, BACKEND)
_IF_USED: Final = (*IOTHREADS, MONITOR, WORKER)
"""Lanes that are drawn only if they have events."""
_LANE_OF: Final[dict[int, str]] = dict(
    zip(ActorId, (GUEST, VCPU, MAIN, *IOTHREADS, BACKEND, MONITOR, WORKER), strict=True)
)
"""The harness records the events of the backend."""
_NO_LANE: Final = frozenset({OP, END, STEP_LIMIT, CRASH, HANG})


class Step(NamedTuple):
    """One event of a story."""

    event: Event
    row: Row
    lane: str
    """The actor; empty: a note of the harness about the scenario."""
    state: State
    """After the event."""
    clash: str
    """``first`` or ``second`` of the two events that clash; empty: neither."""
    words: str = ""
    """The event in other words than those of its row; empty: in those."""

    @property
    def label(self) -> str:
        """The event in a few words: ``pop q0 r1 h0 avail 1``."""
        if self.words:
            return self.words
        row = self.row
        queue = f"q{row.queue}" if row.queue else ""
        return " ".join(word for word in (row.event, queue, row.request, row.value) if word)


def steps_of(
    events: Sequence[Event], violation: Violation | None = None, held: Sequence[str] = ()
) -> list[Step]:
    """Return events as steps.

    Args:
        events: a trace.
        violation: its two events are marked as the clash.
        held: for each deviation of the schedule, where it held a thread and how long.
    """
    return [
        Step(event, row, lane_of(event), state, _clash(event, violation), _words(event, held))
        for event, row, state in zip(events, render.rows(events), states(events), strict=True)
    ]


def _words(event: Event, held: Sequence[str]) -> str:
    if event.kind == GOES_ON:
        return "goes on"
    return held[event.head] if event.kind == HELD and event.head < len(held) else ""


def lane_of(event: Event) -> str:
    """Return the lane of an event's actor; empty: a note of the harness."""
    if event.kind in _NO_LANE:
        return ""
    return _LANE_OF.get(event.actor, BACKEND)


def lanes(steps: Sequence[Step]) -> list[str]:
    """Return the lanes to draw, left to right; those of some threads only if they have events."""
    used = {step.lane for step in steps}
    return [lane for lane in _ALL if lane in used or lane not in _IF_USED]


def _clash(event: Event, violation: Violation | None) -> str:
    if violation is None:
        return ""
    if event == violation.second:
        return "second"
    return "first" if event == violation.first else ""
