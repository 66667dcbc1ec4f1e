"""The part of a trace that is the probe."""

from __future__ import annotations

from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import COLLECT, CRASH, END, OP, PUBLISH
from vblkfuzz.trace.probe import EPILOGUE, PROBE, probe_of, without_probe

BEFORE = (Event(0, OP), Event(1, PUBLISH), Event(2, OP, head=EPILOGUE), Event(3, COLLECT))
BEGIN, LATER = Event(4, OP, head=PROBE), Event(7, OP, head=PROBE)


def test_it_begins_with_its_first_operation() -> None:
    events = (*BEFORE, BEGIN, Event(5, PUBLISH), LATER, Event(8, END))
    assert probe_of(events) == events[4:]
    assert without_probe(events) == (*BEFORE, BEGIN, LATER, Event(8, END))


def test_how_the_trace_ends_is_kept() -> None:
    assert without_probe((*BEFORE, BEGIN, Event(5, CRASH))) == (*BEFORE, BEGIN, Event(5, CRASH))


def test_without_one_the_trace_is_the_scenario() -> None:
    events = (*BEFORE, Event(4, END))
    assert without_probe(events) is events
    assert not probe_of(events)
