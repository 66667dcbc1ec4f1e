from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.errors import TraceOverflow
from vblkfuzz.limits import TRACE_EVENTS_MAX
from vblkfuzz.trace.event import EVENT_RECORD, NO_QUEUE, ActorId, Event
from vblkfuzz.trace.kinds import END, POP, PUSH
from vblkfuzz.trace.ring import RING_BYTES, TraceRing, merge

U8, U16 = st.integers(0, 0xFF), st.integers(0, 0xFFFF)
U32, U64 = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)
EVENTS = st.builds(Event, U32, U8, U8, U8, U8, U16, U16, U16, U16, U64, U32)


def ring() -> TraceRing:
    return TraceRing(memoryview(bytearray(RING_BYTES)))


def write(into: TraceRing, event: Event) -> None:
    into.turn = event.turn
    into.emit(*event[1:])


@given(st.lists(EVENTS, max_size=40))
def test_what_was_written_is_read(events: list[Event]) -> None:
    some = ring()
    for event in events:
        write(some, event)
    assert some.read() == events
    assert all(type(event) is Event for event in some.read())


def test_fields_left_out_are_empty() -> None:
    some = ring()
    some.emit(END, 5)
    assert some.read() == [Event(0, END, 5, NO_QUEUE)]


def test_clear_forgets() -> None:
    some = ring()
    some.turn = 9
    some.emit(END, 5)
    some.clear()
    assert (some.read(), some.turn, some.dropped) == ([], 0, 0)


def test_another_process_reads_the_same() -> None:
    memory = memoryview(bytearray(RING_BYTES))
    writer, reader = TraceRing(memory), TraceRing(memory)
    writer.emit(POP, 3)
    assert reader.read() == []
    writer.publish()
    writer.emit(PUSH, 3)
    assert [event.kind for event in writer.read()] == [POP, PUSH]
    assert reader.read() == writer.read()[:1]
    writer.publish()
    assert reader.read() == writer.read()


def test_a_full_ring_drops_and_counts() -> None:
    some = ring()
    for value in range(TRACE_EVENTS_MAX + 3):
        some.emit(POP, 3, value=value)
    for _ in range(2):
        assert (len(some.read()), some.dropped) == (TRACE_EVENTS_MAX, 3)
        assert some.read()[-1].value == TRACE_EVENTS_MAX - 1
        some.publish()


def test_a_full_ring_drops_what_is_published_later() -> None:
    some = ring()
    for value in range(TRACE_EVENTS_MAX + 3):
        some.emit(POP, 3, value=value)
        if value % 1000 == 0:
            some.publish()
    some.publish()
    assert (len(some.read()), some.dropped) == (TRACE_EVENTS_MAX, 3)
    assert some.read()[-1].value == TRACE_EVENTS_MAX - 1


@pytest.mark.parametrize("value", [-1, 0x10000])
def test_a_value_that_does_not_fit_is_refused(value: int) -> None:
    with pytest.raises(ValueError, match=f"found {value}"):
        ring().emit(POP, 3, value=value)


def test_kinds_and_actors_become_plain_integers() -> None:
    some = ring()
    some.emit(POP, ActorId.IO0)
    (event,) = some.read()
    assert type(event.kind) is type(event.actor) is int


def test_a_trace_with_dropped_events_is_refused() -> None:
    full = ring()
    for _ in range(TRACE_EVENTS_MAX + 1):
        full.emit(POP, 3)
    with pytest.raises(TraceOverflow, match="1 events"):
        merge([ring(), full])
    full.clear()
    assert merge([ring(), full]) == ()


def test_no_ring_writes_beyond_its_memory() -> None:
    memory = bytearray(RING_BYTES + EVENT_RECORD.size)
    some = TraceRing(memoryview(memory))
    for _ in range(TRACE_EVENTS_MAX + 1):
        some.emit(0xFF, 0xFF, 0xFF, 0xFF, path=2**64 - 1)
        some.publish()
    assert not any(memory[RING_BYTES:])


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 9)), max_size=30))
def test_merge_orders_by_turn_and_keeps_the_order_within(steps: list[tuple[int, int]]) -> None:
    rings = [ring(), ring()]
    for value, (which, turn) in enumerate(sorted(steps, key=lambda step: step[1])):
        rings[which].turn = turn
        rings[which].emit(POP, which, value=value)
    merged = merge(rings)
    assert [event.turn for event in merged] == sorted(turn for _, turn in steps)
    for which in range(2):
        values = [event.value for event in merged if event.actor == which]
        assert values == sorted(values)
