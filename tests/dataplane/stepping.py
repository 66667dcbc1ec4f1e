"""Run generators of the dataplane step by step: ``from tests.dataplane.stepping import ...``."""

from __future__ import annotations

from vblkfuzz.dataplane.thread import Steps, Thread
from vblkfuzz.limits import TRACE_EVENTS_MAX
from vblkfuzz.trace.event import ActorId, Event
from vblkfuzz.trace.ring import RING_BYTES, TraceRing
from vblkfuzz.virtio.memory import GuestMemory

MANY = 10_000
"""A budget of points that no test uses up."""


class Waits(Exception):
    """The code waits for a condition that stays false."""


def run(steps: Steps) -> int:
    """Run to the end; return the points passed."""
    points = 0
    for wait in steps:
        points += 1
        if wait is not None and not wait():
            raise Waits
        assert points < MANY
    return points


def idle_thread(actor: ActorId = ActorId.MAIN) -> Thread:
    """A thread without work, for code that the test runs itself."""

    def no_work(thread: Thread) -> Steps:
        yield from ()

    return Thread(actor, lambda: False, no_work)


def new_ring() -> TraceRing:
    return TraceRing(memoryview(bytearray(RING_BYTES)))


def new_memory(size: int = 16 * 1024) -> GuestMemory:
    return GuestMemory(memoryview(bytearray(size)))


def kinds(ring: TraceRing) -> list[int]:
    """The kinds of all events, in order."""
    return [event.kind for event in ring.read()]


def of_kind(ring: TraceRing, kind: int) -> list[Event]:
    events = ring.read()
    assert len(events) < TRACE_EVENTS_MAX
    return [event for event in events if event.kind == kind]
