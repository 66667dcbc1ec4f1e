from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.oracle.events import events
from vblkfuzz.oracle.naming.signature import MAX_SIGNATURE
from vblkfuzz.oracle.verdict import Verdict
from vblkfuzz.oracle.violation import Violation
from vblkfuzz.trace import kinds
from vblkfuzz.trace.event import PATH_MASK, ActorId, Event, Frame
from vblkfuzz.trace.kinds import (
    DRAIN_CALL,
    DRAIN_END,
    DRAIN_RET,
    END,
    KICK,
    OP,
    PUSH,
    RESET_CALL,
    SUBMIT,
)
from vblkfuzz.trace.trace import Trace


def violation(first: Event, second: Event, state: str = "") -> Violation:
    return Violation("S1", first, second, "They clash.", state)


def path(*frames: Frame) -> int:
    return int.from_bytes(bytes(frames), "big")


DRAIN = Event(0, DRAIN_RET)
POP = Event(1, kinds.POP, queue=0, request=1)


@given(st.integers(0, PATH_MASK), st.text(), st.text())
def test_a_signature_is_a_folder_name(path: int, rule: str, state: str) -> None:
    found = Violation(rule, DRAIN, POP._replace(path=path), "They clash.", state)
    assert len(found.signature) <= MAX_SIGNATURE
    assert re.fullmatch(r"[a-z0-9_-]*", found.signature)


@given(st.integers(0, PATH_MASK), events(), events())
def test_a_signature_depends_on_rule_path_and_state_only(
    path: int, one: Event, other: Event
) -> None:
    first = violation(one, one._replace(path=path), "state")
    second = violation(other, other._replace(path=path), "state")
    assert first.signature == second.signature


def test_signature_names_rule_path_and_state() -> None:
    stop = path(Frame.RESET, Frame.STOP, Frame.CLEANUP_HOST_NOTIFIER, Frame.HOST_NOTIFIER_READ)
    found = violation(DRAIN, POP._replace(path=stop))
    assert found.signature == "s1-reset-stop-cleanup_host_notifier-host_notifier_read"
    assert found.path == "reset > stop > cleanup_host_notifier > host_notifier_read"
    assert violation(DRAIN, POP, "twice").signature == "s1-twice"
    assert violation(DRAIN, POP).signature == "s1"


def test_long_signatures_that_begin_alike_stay_apart() -> None:
    long = [Frame.CLEANUP_HOST_NOTIFIER, Frame.HOST_NOTIFIER_READ] * 3
    one = violation(DRAIN, POP._replace(path=path(*long, Frame.ATTACH))).signature
    other = violation(DRAIN, POP._replace(path=path(*long, Frame.DETACH))).signature
    assert len(one) == len(other) == MAX_SIGNATURE
    assert one != other


def test_frames_of_a_foreign_device_are_shown_as_a_number() -> None:
    assert violation(DRAIN, POP._replace(path=0xFE)).path == "0xfe"


def test_window_keeps_the_same_queue_the_same_request_and_the_context() -> None:
    kept = [
        Event(1, kinds.POP, ActorId.IO0, queue=0, request=1),
        Event(2, KICK, ActorId.GUEST, queue=0),
        Event(4, RESET_CALL, ActorId.VCPU),
        Event(5, SUBMIT, ActorId.IO0, request=1),
        Event(6, kinds.SAVED, ActorId.MAIN),
        Event(6, kinds.RESTORED, ActorId.MAIN),
        Event(7, PUSH, ActorId.IO0, queue=0, request=1),
    ]
    others = [
        Event(0, DRAIN_CALL, ActorId.MAIN),
        Event(3, KICK, ActorId.GUEST, queue=1),
        Event(6, SUBMIT, ActorId.IO0, request=2),
        Event(8, DRAIN_END, ActorId.MAIN),
    ]
    trace = Trace(tuple(sorted(kept + others)))
    assert violation(kept[0], kept[-1]).window(trace) == tuple(kept)
    assert violation(kept[-1], kept[0]).window(trace) == tuple(kept)


def test_window_of_one_event() -> None:
    assert violation(POP, POP).window(Trace((DRAIN, POP))) == (POP,)


def test_window_does_not_treat_no_queue_as_a_queue() -> None:
    between = Event(1, OP)
    last = Event(2, END)
    assert violation(DRAIN, last).window(Trace((DRAIN, between, last))) == (DRAIN, last)


def test_window_of_another_trace() -> None:
    with pytest.raises(ValueError):
        violation(DRAIN, POP).window(Trace((DRAIN,)))


def test_clean() -> None:
    assert Verdict().clean
    assert not Verdict((violation(DRAIN, POP),)).clean
