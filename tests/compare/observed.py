"""Executions made by hand: what a guest saw, event by event."""

from __future__ import annotations

from collections.abc import Sequence

from vblkfuzz.compare.view import View, view_of
from vblkfuzz.executor import Execution
from vblkfuzz.oracle.verdict import Verdict
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import ActorId, Event
from vblkfuzz.trace.kinds import COLLECT, DRIVER_INIT, END, KICK, PUBLISH, PUSH, REQUEST
from vblkfuzz.trace.trace import Trace
from vblkfuzz.trace.witness import MODEL, Witness

READ, WRITE, FLUSH, GET_ID = range(4)
SET_UP = (Event(0, DRIVER_INIT), Event(0, DRIVER_INIT, flag=1))
REST = Event(0, END)


def request(code: int, *, head: int = 0, sector: int = 0, queue: int = 0) -> list[Event]:
    """A request that is published and kicked."""
    return [
        Event(0, REQUEST, ActorId.GUEST, queue, code, head, value=sector),
        Event(0, PUBLISH, ActorId.GUEST, queue, head=head),
        Event(0, KICK, ActorId.GUEST, queue, 1),
    ]


def push(head: int = 0, queue: int = 0) -> Event:
    """Its used entry."""
    return Event(0, PUSH, ActorId.MAIN, queue, head=head)


def collect(head: int = 0, *, ending: int = 0, length: int = 1, queue: int = 0) -> Event:
    """What the guest finds in it."""
    return Event(0, COLLECT, ActorId.GUEST, queue, ending, head, length=length)


def view(
    *events: Event | Sequence[Event],
    device: DeviceConfig | None = None,
    verdict: Verdict | None = None,
    witnesses: Witness = MODEL,
) -> View:
    """The guest's view of these events."""
    flat = [each for one in events for each in ([one] if isinstance(one, Event) else one)]
    trace = Trace(tuple(one._replace(turn=at) for at, one in enumerate(flat)), witnesses=witnesses)
    scenario = Scenario(device or DeviceConfig())
    return view_of(Execution(scenario, trace, verdict or Verdict()))


def values(seen: View, what: str) -> list[str]:
    """The values of all places with a text."""
    return [value for key, value in seen.sights.items() if key.what == what]
