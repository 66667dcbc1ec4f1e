"""Names of a scenario in the text of a trace."""

from __future__ import annotations

from vblkfuzz.scenario.ops import HOSTILE_CONTENTS, OPS, REQUESTS
from vblkfuzz.trace.event import Event, EventKind
from vblkfuzz.triage.trace_text import trace_rows, trace_text


def test_every_name_is_known() -> None:
    for kind, names in (
        (EventKind.OP, [spec.name for spec in OPS]),
        (EventKind.HOSTILE, HOSTILE_CONTENTS),
        (EventKind.SUBMIT, REQUESTS),
    ):
        events = [Event(0, kind, flag=code) for code in range(len(names))]
        said = [row.event for row in trace_rows(events)]
        assert said == [f"{kind.name.lower()} {name}" for name in names]


def test_the_text_uses_them() -> None:
    event = Event(0, EventKind.OP, flag=0)
    assert f"> {event.turn} harness  op {OPS[0].name}" in trace_text([event], (event,)).replace(
        "    ", " "
    )
