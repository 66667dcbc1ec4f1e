"""Text and tables on stdout.

A terminal gets colours (unless NO_COLOR is set) and tables that wrap. Other outputs get plain text
in whole lines, so that they can be searched and compared.
"""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from vblkfuzz.triage.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

_MIN_WRAP: Final = 30
"""Minimum number of columns for wrapped text."""
_GAP: Final = 2
"""Spaces between two columns of a table."""
_INDENT: Final = 4


class Screen:
    """Stdout."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, markup=False, emoji=False)

    @property
    def width(self) -> int:
        """Columns of the terminal; 0: stdout is no terminal, lines may have any length."""
        return self._console.width if self._console.is_terminal else 0

    def say(self, text: str = "", style: str = "") -> None:
        """Print text without wrapping it, so that a long line can be copied in one piece."""
        self._console.print(Text(printable(text), style), soft_wrap=True)

    def wrapped(self, text: str, *, label: str = "", indent: int = 0, style: str = "") -> None:
        """Print text after a label; on a terminal it is wrapped, aligned with its first word."""
        label = label or " " * indent
        lines = [text]
        if self.width:
            room = max(_MIN_WRAP, self.width - len(label))
            lines = wrap(text, room, break_long_words=False, break_on_hyphens=False) or [""]
        for line in lines:
            self.say(f"{label}{line}".rstrip(), style)
            label = " " * len(label)

    def table(
        self, columns: Sequence[str], rows: Sequence[Sequence[str]], whole: int | None = None
    ) -> None:
        """Print a table; without a terminal it has no head, and columns are two spaces apart.

        Args:
            columns: their names.
            rows: a cell for each column.
            whole: column of names to copy, such as signatures, which are never broken: on a
                terminal that is too narrow each row has several lines.
        """
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        if not self.width:
            for row in rows:
                self.say(_aligned(row, widths))
        elif whole is None or _fits(rows, widths, whole, self.width):
            self._console.print(_folding(columns, rows, whole))
        else:
            self._stacked(columns, rows, widths, whole)

    def _stacked(
        self,
        columns: Sequence[str],
        rows: Sequence[Sequence[str]],
        widths: Sequence[int],
        whole: int,
    ) -> None:
        """Print rows with their last columns below, and if need be the whole name, too."""
        beside = sum(widths[: whole + 1]) + _GAP * whole <= self.width
        first = whole + beside
        for row in rows:
            if head := _aligned(row[:first], widths):
                self.say(head, "cyan")
            if not beside:
                self._below(row[whole])
            for column, cell in zip(columns[whole + 1 :], row[whole + 1 :], strict=True):
                if cell:
                    self._below(f"{column}: {cell}" if column else cell)

    def _below(self, text: str) -> None:
        self.wrapped(text, indent=_INDENT)


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=False))
    return (" " * _GAP).join(cells).rstrip()


def _fits(
    rows: Sequence[Sequence[str]], widths: Sequence[int], whole: int, screen_width: int
) -> bool:
    """Whether a table fits without a broken word, if only its widest other column is wrapped."""
    others = [index for index in range(len(widths)) if index != whole]
    prose = max(others, key=lambda index: widths[index])
    longest = max((len(word) for row in rows for word in row[prose].split()), default=0)
    least = max(longest, min(widths[prose], _MIN_WRAP))
    return sum(widths) - widths[prose] + least + _GAP * (len(widths) - 1) <= screen_width


def _folding(columns: Sequence[str], rows: Sequence[Sequence[str]], whole: int | None) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, _GAP, 0, 0))
    for index, column in enumerate(columns):
        style, no_wrap = "" if index else "cyan", index in (0, whole)
        table.add_column(column, overflow="fold", style=style, no_wrap=no_wrap)
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    return table
