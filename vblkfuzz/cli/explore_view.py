"""What people see of an exploration, on stderr: a bar for each number of deviations, and bugs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from vblkfuzz.cli.complaint import printable

if TYPE_CHECKING:
    from typing import Self

    from vblkfuzz.campaign.explore import Visit
    from vblkfuzz.campaign.explored import Found


class ExploreView:
    """A bar that moves on a terminal, and a line for each bug anywhere."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False, markup=False, emoji=False)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:,}/{task.total:,} schedules"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal or self._console.is_dumb_terminal,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._bar.add_task("", total=1)

    def __enter__(self) -> Self:
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Remove it."""
        self._bar.stop()

    def tell(self, visit: Visit) -> None:
        """Show where the exploration is."""
        name = plural(visit.deviations, "deviation")
        self._bar.update(
            self._task, description=f"{name:<13}", completed=visit.number, total=visit.of
        )

    def announce(self, found: Found) -> None:
        """A bug that was not met before."""
        violation, saved = found.violation, found.saved
        self._say(f"{violation.rule}: {violation.sentence}", "bold red")
        self._say(f"    {saved.path}", "dim")
        if found.known:
            self._say(f"    known: {found.known}", "dim")
        if saved.fallback:
            self._say(f"    not in the output folder: {saved.fallback}", "yellow")

    def _say(self, text: str, style: str) -> None:
        self._console.print(Text(printable(text), style), soft_wrap=True)


def plural(number: int, noun: str) -> str:
    """Return a count with its noun.

    >>> plural(1, "schedule"), plural(1891, "schedule")
    ('1 schedule', '1,891 schedules')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
