"""View of a comparison: a bar on stderr while it runs, one table on stdout at the end."""

from __future__ import annotations

from string import ascii_uppercase
from textwrap import wrap
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.progress import TextColumn, TimeElapsedColumn

from vblkfuzz.cli.views.progress_bar import progress_bar
from vblkfuzz.compare.signatures import BASE, PATCHED
from vblkfuzz.counted import counted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from vblkfuzz.cli.views.screen import Screen
    from vblkfuzz.compare.behaviour import Behaviour
    from vblkfuzz.compare.run import NotJudged
    from vblkfuzz.compare.side import Side
    from vblkfuzz.compare.signatures import Signatures

_GAP: Final = 2
"""Columns between two cells of a table."""
_NARROWEST: Final = 10
"""Columns of a name, at least."""
_WIDEST: Final = 34
"""Columns of all cells between the first and the last, at most; about six binaries."""
_WIDTH: Final = 80
_INDENT: Final = "    "
_STANDINGS: Final = (
    ("new", PATCHED, True),
    ("gone", BASE, True),
    ("unsteady new", PATCHED, False),
    ("unsteady gone", BASE, False),
)


class CompareView:
    """The bar, on a terminal only: how many inputs have run, what was found, and the time."""

    def __init__(self) -> None:
        console = Console(stderr=True, highlight=False, markup=False, emoji=False)
        self._bar = progress_bar(console, TextColumn("{task.description}"), TimeElapsedColumn())
        self._task = self._bar.add_task("starting")

    def __enter__(self) -> Self:
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the bar."""
        self._bar.stop()

    def update(self, ran: int, of_corpus: int, found: str) -> None:
        """Show the progress.

        Args:
            ran: inputs that have run.
            of_corpus: inputs of the corpus; those after them are mutations.
            found: what was found so far.
        """
        corpus = min(ran, of_corpus)
        text = f"corpus {corpus}/{of_corpus}"
        if ran > of_corpus:
            text += f", {counted(ran - of_corpus, 'mutation')}"
        self._bar.update(self._task, description=f"{text}: {found}")


def print_behaviour(screen: Screen, found: Behaviour, sides: Sequence[Side]) -> None:
    """Print the binaries, what differs, and what could not be judged."""
    letters = [*map(_letter, range(len(sides)))]
    for letter, side in zip(letters, sides, strict=True):
        screen.say(f"{letter}  {_named(side)}")
    rows = _rows(found)
    if rows:
        screen.say()
        if _room_of(_inner(rows)) > _WIDEST:
            _say_blocks(screen, rows, letters)
        else:
            screen.table(("differs", *letters, "scenario"), _narrowed(screen, rows))
        screen.say()
    differing = counted(len(found.found), "scenario")
    screen.say(f"{counted(found.scenarios, 'scenario')} compared, {differing} with a difference")
    _print_errors(screen, found.not_judged, sides)


def _say_blocks(screen: Screen, rows: Sequence[tuple[str, ...]], letters: Sequence[str]) -> None:
    """Print what differs with a line for each value, in place of a column for each binary."""
    for what, *values, scenario in rows:
        screen.say(what, "cyan")
        for value in dict.fromkeys(values):
            named = (one for one, its in zip(letters, values, strict=True) if its == value)
            for line in wrap(f"{value}: {' '.join(named)}", _WIDTH - len(_INDENT)):
                screen.say(f"{_INDENT}{line}")
        screen.say(f"{_INDENT}in {scenario}")


def _letter(number: int) -> str:
    return ascii_uppercase[number] if number < len(ascii_uppercase) else f"#{number + 1}"


def _named(side: Side) -> str:
    return f"{side.version}  {side.name}" if side.version else side.name


def _rows(found: Behaviour) -> list[tuple[str, ...]]:
    """Return a row for each difference; the same one in several scenarios is one row."""
    scenarios: dict[tuple[str, ...], list[str]] = {}
    for name, differing in found.found.items():
        for one in differing:
            scenarios.setdefault((one.what, *one.values), []).append(name)
    return [(*what, _first(names)) for what, names in scenarios.items()]


def _first(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} +{len(names) - 1}"


def _narrowed(screen: Screen, rows: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Break long cells into lines, on a terminal: names at hyphens, other cells at spaces."""
    if not screen.width:
        return [*rows]
    inner = _widths(_inner(rows))
    room = screen.width - _room_of(_inner(rows)) - _GAP
    widths = (room - room * 2 // 5, *inner, room * 2 // 5)
    return [tuple(map(_lines, row, widths)) for row in rows]


def _widths(columns: Sequence[tuple[str, ...]]) -> list[int]:
    return [max(len(word) for cell in column for word in cell.split()) for column in columns]


def _room_of(columns: Sequence[tuple[str, ...]]) -> int:
    """Return the least columns of the screen that cells between the first and the last need."""
    return sum(_widths(columns)) + _GAP * len(columns)


def _inner(rows: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return [*zip(*rows, strict=True)][1:-1]


def _lines(cell: str, width: int) -> str:
    return "\n".join(wrap(cell, max(width, _NARROWEST)))


def print_signatures(screen: Screen, found: Signatures, sides: Sequence[Side]) -> None:
    """Print the signatures of one binary only, new ones first, and what could not be judged."""
    for name, side in zip(("base", "patched"), sides, strict=True):
        screen.say(f"{name:<7}  {_named(side)}")
    rows = [
        (name, standing, f"{one.shown}/{one.runs}", one.input)
        for standing, side, steady in _STANDINGS
        for name, one in found.of(side, steady=steady).items()
    ]
    if rows:
        screen.say()
        screen.table(("signature", "", "runs", "input"), rows, whole=0)
        screen.say()
    new, gone = len(found.of(PATCHED)), len(found.of(BASE))
    both = counted(len(found.both), "signature")
    screen.say(f"{counted(found.inputs, 'input')}: {new} new, {gone} gone, {both} of both")
    _print_errors(screen, found.not_judged, sides)


def _print_errors(screen: Screen, errors: Sequence[NotJudged], sides: Sequence[Side]) -> None:
    if errors:
        screen.say(f"{counted(len(errors), 'run')} not judged, the first of them:")
        first = errors[0]
        screen.say(f"  {first.input} on {sides[first.side].name}: {first.error}")
