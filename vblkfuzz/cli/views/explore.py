"""View of an exploration on stderr: a bar for each level of its search, and the findings.

Without a terminal, a line of the same figures every ten seconds. The time that is left is that of
the level: how many schedules the next ones have is not known before it has run.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from vblkfuzz.cli.views.progress_bar import progress_bar
from vblkfuzz.counted import counted
from vblkfuzz.triage.printable import printable

if TYPE_CHECKING:
    from typing import Self

    from vblkfuzz.explore.explored import Found
    from vblkfuzz.explore.search import Visit


_PLAIN_S: Final = 10.0
"""Seconds between two lines if stderr is no terminal."""


class ExploreView:
    """A progress bar, or lines, and lines for each finding."""

    def __init__(self, before: int = 0) -> None:
        """Show an exploration of which `before` schedules have been run already."""
        self._before = before
        self._last: Visit | None = None
        self._console = Console(stderr=True, highlight=False, markup=False, emoji=False)
        self._bar = progress_bar(
            self._console,
            TextColumn("{task.description}"),
            BarColumn(20),
            TextColumn("{task.completed:,}/{task.total:,} schedules"),
            TimeRemainingColumn(),
        )
        self._task = self._bar.add_task("", total=1)
        self._level = ""
        self._begun = (0.0, 0)
        """When the level began here, and how many of its schedules had been run before."""
        self._next_line = time.monotonic() + _PLAIN_S

    def __enter__(self) -> Self:
        """Show the bar."""
        if self._before:
            self._say(f"going on after {counted(self._before, 'schedule')}")
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the bar."""
        self._bar.stop()

    def update(self, visit: Visit, findings: int) -> None:
        """Show the progress of the exploration."""
        self._last = visit
        if visit.level != self._level:
            self._level = visit.level
            self._begun = (time.monotonic(), visit.number - 1)
            self._bar.reset(self._task, total=visit.of, completed=visit.number - 1)
        self._bar.update(
            self._task, description=f"{visit.level:<21}", completed=visit.number, total=visit.of
        )
        if self._bar.disable and time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + _PLAIN_S
            self._say(self._line(visit, findings))

    def stopped(self, *, goes_on: bool) -> None:
        """Say how far the exploration has come, and how to go on, if it can."""
        if goes_on and (last := self._last):
            place = f"{last.level} {last.number:,}/{last.of:,}"
            self._say(f"stopped at {place}; the same command goes on")

    def _line(self, visit: Visit, findings: int) -> str:
        began, before = self._begun
        each_s = (time.monotonic() - began) / (visit.number - before)
        left = timedelta(seconds=round(each_s * (visit.of - visit.number)))
        schedules = f"{visit.number:,}/{visit.of:,} schedules, {left} left at this level"
        return f"{visit.level}: {schedules}, {counted(findings, 'finding')}"

    def announce(self, found: Found) -> None:
        """Print a new finding."""
        self._say(f"{found.rule}: {found.sentence}", "bold red", whole=self._bar.disable)
        self._say(f"    {found.path}", "dim")
        for each in found.where or ("without any deviation",):
            self._say(f"    {each}", "dim")
        if found.confidence:
            self._say(f"    rate {found.confidence}", "dim")
        if found.known:
            self._say(f"    known: {found.known}", "dim", whole=self._bar.disable)
        if found.fallback:
            self._say(f"    not in the output folder: {found.fallback}", "yellow")

    def _say(self, text: str, style: str = "", *, whole: bool = True) -> None:
        """Print a line; if not `whole`, it is broken between words."""
        self._console.print(Text(printable(text), style), soft_wrap=whole)
