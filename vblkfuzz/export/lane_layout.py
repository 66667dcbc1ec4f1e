"""The layout of a lane diagram: the places of its parts, in pixels at zoom 1.

Time runs down, with one row for each event. The report (`report.html.jinja`) draws the parts at
these places. `triage.lane_text` is the same diagram in characters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.triage.lane_text import note_of
from vblkfuzz.triage.step import lanes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vblkfuzz.scenario.op import Op
    from vblkfuzz.triage.step import Step

ROW: Final = 20
"""Height of a row."""
_NAMES: Final = 28
"""Height of the names of the lanes, a separate drawing that stays in view."""
_LEFT: Final = 74
"""x of the first lane; turn and quiesce_counter are left of it."""
_LANE: Final = 142
"""Distance of two lanes."""
_LAST: Final = 250
"""Width for labels right of the last lane."""


class Lane(NamedTuple):
    """A vertical line with a name."""

    name: str
    x: int


class Mark(NamedTuple):
    """An event in its lane; x is 0 for a note, such as the start of an operation."""

    step: int
    x: int
    y: int
    label: str
    turn: int
    counter: int
    clash: str
    drained: bool


class Band(NamedTuple):
    """A drained section."""

    y: int
    height: int


class Layout(NamedTuple):
    """A whole diagram."""

    width: int
    height: int
    top: int
    """Height of the names."""
    lanes: list[Lane]
    marks: list[Mark]
    bands: list[Band]
    clash: list[Mark]
    """The two events that clash, in order."""


def lane_layout(steps: Sequence[Step], ops: Sequence[Op]) -> Layout:
    """Return the layout of a story's diagram."""
    placed = [Lane(name, _LEFT + index * _LANE) for index, name in enumerate(lanes(steps))]
    marks = list(_marks(steps, ops, dict(placed)))
    clash = sorted((mark for mark in marks if mark.clash), key=lambda mark: mark.clash)
    height = len(steps) * ROW + ROW // 2
    return Layout(placed[-1].x + _LAST, height, _NAMES, placed, marks, list(_bands(steps)), clash)


def _marks(steps: Sequence[Step], ops: Sequence[Op], places: dict[str, int]) -> Iterator[Mark]:
    for index, step in enumerate(steps):
        label = step.label if step.lane else note_of(step, ops)
        yield Mark(
            index,
            places.get(step.lane, 0),
            index * ROW + ROW // 2,
            label,
            step.event.turn,
            step.state.quiesce_counter,
            step.clash,
            step.state.drained,
        )


def _bands(steps: Sequence[Step]) -> Iterator[Band]:
    """Yield the drained sections, each from the row that opens it to the last row inside."""
    begin: int | None = None
    for index, step in enumerate(steps):
        if step.state.drained and begin is None:
            begin = index
        if begin is not None and not step.state.drained:
            yield Band(begin * ROW, (index - begin) * ROW)
            begin = None
    if begin is not None:
        yield Band(begin * ROW, (len(steps) - begin) * ROW)
