"""View of an exploration on stderr: a bar for each number of deviations, and the findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from vblkfuzz.cli.views.progress_bar import progress_bar
from vblkfuzz.counted import counted
from vblkfuzz.triage.printable import printable

if TYPE_CHECKING:
    from typing import Self

    from vblkfuzz.explore.deviations import Visit
    from vblkfuzz.explore.explored import Found


class ExploreView:
    """A progress bar, on a terminal only, and lines for each finding."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False, markup=False, emoji=False)
        self._bar = progress_bar(
            self._console,
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:,}/{task.total:,} schedules"),
            TimeRemainingColumn(),
        )
        self._task = self._bar.add_task("", total=1)

    def __enter__(self) -> Self:
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the bar."""
        self._bar.stop()

    def update(self, visit: Visit) -> None:
        """Show the progress of the exploration."""
        name = counted(visit.deviations, "deviation")
        self._bar.update(
            self._task, description=f"{name:<13}", completed=visit.number, total=visit.of
        )

    def announce(self, found: Found) -> None:
        """Print a new finding."""
        violation, saved = found.violation, found.saved
        self._wrap(f"{violation.rule}: {violation.sentence}", "bold red")
        self._say(f"    {saved.path}", "dim")
        if found.known:
            self._wrap(f"    known: {found.known}", "dim")
        if saved.fallback:
            self._say(f"    not in the output folder: {saved.fallback}", "yellow")

    def _wrap(self, text: str, style: str) -> None:
        """Print a sentence; on a terminal it is broken between words."""
        wraps = self._console.is_terminal
        self._console.print(Text(printable(text), style), soft_wrap=not wraps)

    def _say(self, text: str, style: str) -> None:
        self._console.print(Text(printable(text), style), soft_wrap=True)
