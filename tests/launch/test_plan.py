"""Plans and messages survive their JSON form; nothing else is a message."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.launch.plan import KINDS, Message, WorkerPlan

TEXT = st.text(max_size=30)
MESSAGES = st.builds(
    Message,
    kind=st.sampled_from(sorted(KINDS)),
    name=TEXT,
    rule=TEXT,
    sentence=TEXT,
    path=st.text(st.characters(exclude_characters="\0"), max_size=30),
    fallback=TEXT,
    known=TEXT,
    execs=st.integers(0, (1 << 63) - 1),
    input=st.binary(max_size=30).map(bytes.hex),
)


@given(st.builds(WorkerPlan))
def test_plans_round_trip(plan: WorkerPlan) -> None:
    assert WorkerPlan.from_json(plan.to_json()) == plan


@given(MESSAGES)
def test_messages_round_trip_as_one_line(message: Message) -> None:
    line = message.to_line()
    assert line.index(b"\n") == len(line) - 1
    assert Message.from_line(line) == message


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["kind", "name", "path", "execs", "input", "other"])
NO_MESSAGES = (
    st.binary(max_size=60)
    | JSON.map(json.dumps).map(str.encode)
    | st.dictionaries(NAMES, JSON).map(json.dumps).map(str.encode)
)


@given(NO_MESSAGES)
def test_what_is_no_message_is_a_value_error(line: bytes) -> None:
    """Never another one, whatever a device has written."""
    try:
        message = Message.from_line(line)
    except ValueError:
        return
    assert message.kind in KINDS


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"put out",
        b"\xff\xfe",
        b"[" * 100_000,
        b"9" * 10_000,
        b'{"kind": "paused"}',
        b'{"name": "l1"}',
        b'{"kind": "seen", "execs": true}',
        b'{"kind": "seen", "execs": -1}',
        b'{"kind": "seen", "execs": 9223372036854775808}',
        b'{"kind": "hang", "input": "xyz"}',
        b'{"kind": "seen", "name": "\\ud800"}',
        b'{"kind": "finding", "path": "a\\u0000b"}',
        b'{"kind": "done", "more": ""}',
    ],
)
def test_no_messages(line: bytes) -> None:
    with pytest.raises(ValueError):
        Message.from_line(line)
