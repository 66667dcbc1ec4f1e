"""Which traces that were too long are a loop: the same events of one actor, in one operation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.errors import TraceOverflow
from vblkfuzz.limits import MAX_STEPS, TRACE_EVENTS_MAX
from vblkfuzz.trace.endless import events_of, is_loop
from vblkfuzz.trace.event import ActorId, Event
from vblkfuzz.trace.kinds import HANDLER, HANDLER_END, KICK, OP, POP, STATUS, STEP_LIMIT
from vblkfuzz.trace.ring import RING_BYTES, TraceRing

IO, MAIN = ActorId.IO0, ActorId.MAIN
ROUND = (HANDLER, POP, HANDLER_END)


def told(*kinds: int, actor: int = IO) -> list[Event]:
    return [Event(number, kind, actor) for number, kind in enumerate(kinds)]


def full(kinds: tuple[int, ...]) -> TraceRing:
    ring = TraceRing(memoryview(bytearray(RING_BYTES)))
    for number in range(TRACE_EVENTS_MAX + 5):
        ring.turn = number
        ring.emit(kinds[number % len(kinds)], IO)
    return ring


@given(st.lists(st.sampled_from(ROUND), min_size=1, max_size=40))
def test_rounds_are_a_loop(kinds: list[int]) -> None:
    assert is_loop(told(*kinds * 1024))


def test_what_is_none() -> None:
    rounds = told(*ROUND * 600)
    assert not is_loop(told(*ROUND * 20))
    assert not is_loop([*rounds[:-2], *told(STATUS), *rounds[-2:]])
    assert not is_loop([*rounds[:-1], *told(HANDLER_END, actor=MAIN)])
    assert not is_loop(told(*[OP, KICK] * 600))


def test_the_trace_ends_where_the_ring_was_full() -> None:
    guest = TraceRing(memoryview(bytearray(RING_BYTES)))
    for guest.turn in (3, TRACE_EVENTS_MAX + 1):
        guest.emit(KICK, ActorId.GUEST)
    events = events_of((guest, full(ROUND)), MAX_STEPS)
    assert len(events) == TRACE_EVENTS_MAX + 1
    assert [event.turn for event in events if event.kind == KICK] == [3]
    assert (events[-1].kind, events[-1].turn) == (STEP_LIMIT, TRACE_EVENTS_MAX - 2)


@pytest.mark.parametrize(
    ("kinds", "steps"), [(ROUND, MAX_STEPS - 1), ((*ROUND * 100, STATUS), MAX_STEPS)]
)
def test_any_other_has_no_verdict(kinds: tuple[int, ...], steps: int) -> None:
    """The limit of steps was not reached, or a round is too long to be known as one."""
    with pytest.raises(TraceOverflow):
        events_of((full(kinds),), steps)
