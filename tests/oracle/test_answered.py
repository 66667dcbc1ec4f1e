"""Which REQUEST, PUSH and COLLECT are one request."""

from __future__ import annotations

import pytest

from vblkfuzz.oracle.answered import LIFE, Answered, answered
from vblkfuzz.trace.ending import ENDED_IOERR, ENDED_OK, ENDED_UNSUPP, FOREIGN, NO_STATUS
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import (
    COLLECT,
    DRIVER_INIT,
    FEATURES,
    HOSTILE,
    POP,
    PUSH,
    QUEUE_RESET,
    REQUEST,
    SHAPE,
)


def request(queue: int = 0, head: int = 0) -> Event:
    return Event(0, REQUEST, queue=queue, head=head)


def push(queue: int = 0, head: int = 0, value: int = 1) -> Event:
    return Event(0, PUSH, queue=queue, head=head, value=value)


def collect(flag: int = ENDED_OK, queue: int = 0, head: int = 0) -> Event:
    return Event(0, COLLECT, queue=queue, head=head, flag=flag)


def pairs(*events: Event) -> list[tuple[Event, Event]]:
    return [(found.request, found.collect) for found in answered(events)]


def only(*events: Event) -> Answered:
    (found,) = answered(events)
    return found


def test_each_collect_ends_the_request_of_its_queue_and_head() -> None:
    first, second, third = request(), request(head=3), request(queue=1)
    ends = [collect(queue=1), collect(head=3), collect()]
    assert pairs(first, second, third, *ends) == [
        (third, ends[0]),
        (second, ends[1]),
        (first, ends[2]),
    ]


def test_a_request_is_answered_once() -> None:
    assert pairs(request(), collect(), collect()) == [(request(), collect())]
    assert pairs(collect()) == []


@pytest.mark.parametrize("flag", [ENDED_IOERR, ENDED_UNSUPP])
def test_a_failed_request_is_answered(flag: int) -> None:
    assert pairs(request(), collect(flag)) == [(request(), collect(flag))]


def test_a_request_without_a_status_is_not_answered() -> None:
    assert pairs(request(), collect(NO_STATUS)) == []
    assert pairs(request(), collect(NO_STATUS), request(), collect()) == [(request(), collect())]


def test_a_foreign_entry_leaves_the_request() -> None:
    assert pairs(request(), collect(FOREIGN), collect()) == [(request(), collect())]


def test_a_shape_is_that_of_the_next_request_only() -> None:
    events = Event(0, SHAPE, flag=8), request(), request(head=3), collect(), collect(head=3)
    assert [found.shape for found in answered(events)] == [8, 0]


def test_the_features_are_those_at_the_end() -> None:
    features = [Event(turn, FEATURES, value=turn) for turn in (1, 2)]
    assert only(request(), collect()).features.value == 0
    assert only(features[0], request(), features[1], collect()).features is features[1]


def test_the_push_is_the_last_one_that_was_observed() -> None:
    assert only(request(), collect()).push is None
    assert only(request(), push(), push(value=2), collect()).push == push(value=2)
    assert only(request(), push(head=3), push(queue=1), collect()).push is None


def test_a_push_before_the_request_belongs_to_the_last_one() -> None:
    """The guest may see a used entry before the PUSH is observed."""
    late = answered([request(), collect(), push(), request(), collect()])
    assert [found.push for found in late] == [None, None]


def test_broken_rings_are_left_out_until_the_next_set_up() -> None:
    hostile, init = Event(0, HOSTILE, queue=0), Event(0, DRIVER_INIT)
    assert pairs(request(), hostile, collect()) == []
    assert pairs(hostile, request(), collect()) == []
    assert pairs(hostile, request(), init, collect()) == []
    assert pairs(hostile, init, request(), collect()) == [(request(), collect())]
    assert only(request(), push(), init, request(), collect()).push is None


def test_the_reset_of_a_queue_ends_its_requests() -> None:
    reset = Event(0, QUEUE_RESET, queue=1)
    other = request(queue=1)
    events = request(), other, push(queue=1), reset, collect(queue=1), collect()
    assert pairs(*events) == [(request(), collect())]
    assert only(other, push(queue=1), reset, other, collect(queue=1)).push is None


def test_other_events_do_not_matter() -> None:
    trace = Event(0, POP, queue=0), request(), Event(0, POP, queue=0), push(), collect()
    assert answered(trace) == answered([event for event in trace if event.kind in LIFE])
