"""A trace in words, with the names that only scenarios know.

`trace.render` sets the columns but knows neither operations nor request types: rooms beside each
other do not. Here both meet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.scenario.ops import HOSTILE_CONTENTS, OPS, REQUESTS
from vblkfuzz.trace.event import EventKind
from vblkfuzz.trace.render import FlagNames, Row, render, rows

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from vblkfuzz.trace.event import Event

_NAMES: Final[FlagNames] = {
    EventKind.OP: tuple(spec.name for spec in OPS),
    EventKind.HOSTILE: HOSTILE_CONTENTS,
    EventKind.REQUEST: REQUESTS,
    EventKind.SUBMIT: REQUESTS,
}


def trace_rows(events: Sequence[Event]) -> list[Row]:
    """Return events in words, a row each."""
    return rows(events, _NAMES)


def trace_text(events: Sequence[Event], marked: Container[Event] = (), width: int = 0) -> str:
    """Return events as text; see `trace.render.render` for `marked` and `width`."""
    return render(events, _NAMES, marked, width)
