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

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print a table; without a terminal it has no head, and columns are two spaces apart."""
        if self.width:
            self._console.print(_folding(columns, rows))
            return
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.say("  ".join(cells).rstrip())


def _folding(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for index, column in enumerate(columns):
        table.add_column(column, overflow="fold", style="" if index else "cyan", no_wrap=not index)
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    return table
