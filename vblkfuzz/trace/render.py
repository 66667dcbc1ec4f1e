"""A trace as text for people: one line for each event, in fixed columns.

`rows` turns events into words, using the table in `trace.kinds`. `render` formats them as plain
text that is the same on any machine, so that it can be stored and compared. The legend for readers
is docs/trace-legend.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.trace.event import NO_QUEUE, actor_name
from vblkfuzz.trace.fault import path_of
from vblkfuzz.trace.form import word
from vblkfuzz.trace.kinds import KINDS, OP
from vblkfuzz.trace.probe import PROBE

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from vblkfuzz.trace.event import Event
    from vblkfuzz.trace.kind import Form, Kind


class Row(NamedTuple):
    """One event in words; a column that its kind does not use is empty."""

    turn: str
    actor: str
    event: str
    queue: str
    request: str
    value: str
    path: str


LEGEND: Final = "r3: 3rd request popped; h2: its head; e1: after one reset; >: the clash"
"""Abbreviations in the columns. Event kinds are explained in docs/trace-legend.md."""


def rows(events: Iterable[Event]) -> list[Row]:
    """Return events in words, one row for each."""
    return [_row(event) for event in events]


def render(
    events: Sequence[Event],
    marked: Container[Event] = (),
    width: int = 0,
) -> str:
    """Return events as plain text: a header, one line for each event, the legend.

    Args:
        events: in the order of the trace.
        marked: the events that a violation is about; their lines begin with ``>``.
        width: limit in characters; the path of a longer line moves to the next line. 0: no limit.
    """
    table = [Row(*Row._fields), *rows(events)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    marks = [" ", *(">" if event in marked else " " for event in events)]
    lines = [_line(mark, row, widths, width) for mark, row in zip(marks, table, strict=True)]
    return "\n".join((*lines, "", f"{LEGEND}\n"))


def _line(mark: str, row: Row, widths: list[int], width: int) -> str:
    turn, *others = (text.ljust(column) for text, column in zip(row, widths, strict=True))
    start = f"{mark} {turn.strip().rjust(widths[0])} "
    line = (start + "  ".join(others)).rstrip()
    if not width or len(line) <= width:
        return line
    return f"{(start + '  '.join(others[:-1])).rstrip()}\n{' ' * len(start)}in {row.path}"


def _row(event: Event) -> Row:
    kind = KINDS.get(event.kind)
    return Row(
        str(event.turn),
        actor_name(event.actor),
        _event(event, kind) if kind else f"kind {event.kind}",
        "" if event.queue == NO_QUEUE else str(event.queue),
        _request(event, kind.head if kind else ""),
        _value(event, kind),
        path_of(event),
    )


def _event(event: Event, kind: Kind) -> str:
    flag = word(kind.flags, event.flag)
    if event.kind == OP and event.head:
        flag = f"{flag}, {'probe' if event.head == PROBE else 'epilogue'}"
    words = flag if kind.flags or event.flag else ""
    return f"{kind.name} {words}".rstrip()


def _request(event: Event, head: str) -> str:
    return " ".join(
        text
        for text, shown in (
            (f"r{event.request}", event.request),
            (head.format(event.head), head),
            (f"e{event.epoch}", event.epoch),
        )
        if shown
    )


def _value(event: Event, kind: Kind | None) -> str:
    """Return value and length; a length that the kind does not use is shown unless it is 0."""
    value = _in_form(event.value, kind.value if kind else "")
    if kind and kind.length:
        length = _in_form(event.length, kind.length)
    else:
        length = f"length {event.length}" if event.length else ""
    return ", ".join(text for text in (value, length) if text)


def _in_form(value: int, form: Form) -> str:
    if callable(form):
        return form(value)
    return form.format(value) if form else str(value or "")
