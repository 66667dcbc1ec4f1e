"""The text of a trace is stable and complete, and any record can be shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.scenario.alphabet.ops import CODES
from vblkfuzz.trace.event import NO_QUEUE, ActorId, Event, Frame
from vblkfuzz.trace.kinds import (
    ATTACH,
    BROKEN,
    COLLECT,
    DRAIN_RET,
    END,
    IO_DONE,
    IRQ,
    KICK,
    KINDS,
    OP,
    PARK,
    POP,
    PUBLISH,
    PUSH,
    START_RET,
    STATUS,
)
from vblkfuzz.trace.render import LEGEND, Row, render, rows

LEGEND_PAGE = Path(__file__).resolve().parents[2] / "docs" / "trace-legend.md"

DRAINED = Event(9, DRAIN_RET, ActorId.MAIN, flag=1)
POPPED = Event(
    12,
    POP,
    ActorId.VCPU,
    queue=0,
    request=1,
    epoch=2,
    value=1,
    path=Frame.RESET << 8 | Frame.STOP,
)
EVENTS = (
    Event(1, OP, value=3, flag=CODES["reset"]),
    DRAINED,
    Event(10, KICK, ActorId.GUEST, queue=0, flag=1, value=1),
    Event(11, ATTACH, ActorId.VCPU, queue=1, value=ActorId.IO0),
    POPPED,
    Event(13, OP, flag=CODES["reset"], head=1),
)

GOLDEN = """\
  turn actor    event               queue  request   value        path
     1 harness  op reset                             #3
>    9 main     drain_ret poll                       0 in flight
    10 guest    kick sent           0                avail 1
    11 vcpu     attach              1                io0
>   12 vcpu     pop                 0      r1 h0 e2  avail 1      reset > stop
    13 harness  op reset, epilogue                   #0
"""


def test_the_text_is_stable() -> None:
    assert render(EVENTS, (DRAINED, POPPED)) == f"{GOLDEN}\n{LEGEND}\n"


def test_a_path_that_does_not_fit_goes_below() -> None:
    width = max(map(len, GOLDEN.splitlines())) - 1
    lines = render(EVENTS, (POPPED,), width).splitlines()
    at = next(place for place, line in enumerate(lines) if line.startswith(">"))
    assert lines[at + 1] == "       in reset > stop"
    assert max(map(len, lines[: at + 3])) <= width
    assert len(lines) == len(render(EVENTS).splitlines()) + 1


def test_an_empty_trace_is_a_header() -> None:
    expected = "  turn actor  event  queue  request  value  path"
    assert render(()).splitlines()[0] == expected


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (Event(0, KICK, flag=0), {"event": "kick suppressed"}),
        (Event(0, START_RET, flag=1), {"event": "start_ret failed"}),
        (Event(0, STATUS, value=15), {"event": "status", "value": "0x0f"}),
        (Event(0, PARK, request=7), {"request": "r7", "value": ""}),
        (Event(0, PUBLISH, head=0, queue=0), {"request": "h0", "queue": "0"}),
        (Event(0, IRQ, queue=NO_QUEUE), {"queue": "", "request": ""}),
        (Event(0, BROKEN, value=3), {"value": "ChainLoops"}),
        (Event(0, BROKEN, value=250), {"value": "250"}),
        (Event(0, IO_DONE, flag=9), {"event": "io_done flag 9"}),
        (Event(0, END, value=2), {"value": "2 in flight"}),
        (Event(0, 222), {"event": "kind 222"}),
        (Event(0, IRQ, actor=77), {"actor": "actor 77"}),
        (Event(0, IRQ, path=0xFF), {"path": "0xff"}),
        (Event(0, COLLECT, value=2, length=513), {"value": "used 2, 513 bytes"}),
        (Event(0, PUSH), {"value": "used 0, 0 bytes"}),
        (Event(0, PUSH, length=1), {"value": "used 0, 1 byte"}),
        (Event(0, IRQ, length=7), {"value": "length 7"}),
    ],
)
def test_fields_in_words(event: Event, words: dict[str, str]) -> None:
    (row,) = rows((event,))
    assert {name: getattr(row, name) for name in words} == words


def events() -> st.SearchStrategy[Event]:
    byte, word = st.integers(0, 0xFF), st.integers(0, 0xFFFF)
    length, path = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)
    return st.builds(Event, length, byte, byte, byte, byte, word, word, word, word, path, length)


@given(st.lists(events(), max_size=8))
def test_any_record_can_be_shown(trace: list[Event]) -> None:
    lines = render(trace).splitlines()
    assert len(lines) == 1 + len(trace) + 2
    assert all(line == line.rstrip() and line.isprintable() for line in lines)


def test_a_value_is_never_lost() -> None:
    """A value is shown even if its kind does not use the field."""
    shown = rows([Event(0, kind, value=4321) for kind in KINDS])
    assert [row.event for row in shown if not re.search("4321|0x10e1|225..241", row.value)] == []


def test_every_column_is_in_the_legend() -> None:
    page = LEGEND_PAGE.read_text()
    assert [name for name in Row._fields if f"| {name} |" not in page] == []
