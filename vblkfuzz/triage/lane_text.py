"""A lane diagram as text: time runs down, and each actor has a column.

    turn     guest      vCPU       main loop  iothread 0 backend
   >   4  1 ░│░░░░░░░░░░│░░░░░░░░░░◆ drain_ret poll 0 in flight   first
    ── 3 reset() ──────────────────────────────────────────────────────
   >   7  1 ░│░░░░░░░░░░◆ pop q0 r1 h0 avail 1 ░░░░░░░░░░░░░░░░   clash

Rows inside a drained section are shaded and show the quiesce_counter. The two events that clash are
marked with ``>`` and a diamond. Each row fits the given width. A line has the name of a style; the
caller chooses the colours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from vblkfuzz.trace.kinds import OP
from vblkfuzz.triage.step import lanes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.scenario.op import Op
    from vblkfuzz.triage.step import Step

Style = Literal["head", "operation", "drained", "clash", "plain"]

MIN_WIDTH: Final = 72
"""Minimum width in columns, so that labels stay readable; narrower terminals break the lines."""

_GUTTER: Final = 11
"""Columns for mark, turn and quiesce_counter."""
_LAST_LANE: Final = 24
"""Columns for a label in the rightmost lane."""
_MAX_LANE: Final = 16
_NOTES: Final = {"first": " first", "second": " clash", "": ""}


class DiagramLine(NamedTuple):
    """One line of a diagram."""

    text: str
    style: Style


def lane_diagram(steps: Sequence[Step], ops: Sequence[Op], width: int) -> list[DiagramLine]:
    """Return the diagram of a story, in lines of at most `width` columns (at least MIN_WIDTH)."""
    canvas = _Canvas(lanes(steps), max(width, MIN_WIDTH))
    return [canvas.head(), *(canvas.line(step, ops) for step in steps)]


class _Canvas:
    """Places the lanes and draws lines of the diagram."""

    def __init__(self, names: list[str], width: int) -> None:
        self._width = width
        room = (width - _GUTTER - _LAST_LANE) // (len(names) - 1)
        distance = min(room, _MAX_LANE)
        self._places = {name: index * distance for index, name in enumerate(names)}
        self._names = {name: name[: distance - 1] for name in names[:-1]} | {names[-1]: names[-1]}

    def head(self) -> DiagramLine:
        columns = [" "] * (self._width - _GUTTER)
        for name, place in self._places.items():
            _write(columns, place, self._names[name])
        return DiagramLine(f"{'turn':>6}".ljust(_GUTTER) + "".join(columns).rstrip(), "head")

    def line(self, step: Step, ops: Sequence[Op]) -> DiagramLine:
        return self._event(step) if step.lane else self._note(step, ops)

    def _note(self, step: Step, ops: Sequence[Op]) -> DiagramLine:
        text = f"    ── {note_of(step, ops)} "
        return DiagramLine(_cut(text, self._width).ljust(self._width, "─"), "operation")

    def _event(self, step: Step) -> DiagramLine:
        note = _NOTES[step.clash]
        columns = self._lines_of(step, self._width - _GUTTER - len(note))
        counter = step.state.quiesce_counter
        gutter = f"{'>' if step.clash else ' '}{step.event.turn:5} {counter or '':>2}"
        style: Style = "drained" if step.state.drained else "plain"
        text = f"{gutter:<{_GUTTER - 1}} {''.join(columns)}{note}".rstrip()
        return DiagramLine(text, "clash" if step.clash else style)

    def _lines_of(self, step: Step, room: int) -> list[str]:
        """Return the lanes of one row, with the event in its lane."""
        columns = ["░" if step.state.drained else " "] * room
        for place in self._places.values():
            columns[place] = "│"
        place = self._places[step.lane]
        label = f"{'◆' if step.clash else '●'} {_cut(step.label, room - place - 3)} "
        _write(columns, place, label)
        return columns


def note_of(step: Step, ops: Sequence[Op]) -> str:
    """Return the text of a harness event: the operation that begins, or the end of the scenario."""
    event = step.event
    if event.kind == OP and not event.head and event.value < len(ops):
        return f"{event.value}. {ops[event.value]!r}"
    return step.label


def _write(columns: list[str], place: int, text: str) -> None:
    columns[place : place + len(text)] = text


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - 1]}…"
