"""View of a minimization: a progress bar, on a terminal only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TextColumn

from vblkfuzz.cli.views.progress_bar import progress_bar
from vblkfuzz.counted import counted
from vblkfuzz.minimize.minimize import StopMinimizing

if TYPE_CHECKING:
    from typing import Self

    from vblkfuzz.cli.options.stop import Stop
    from vblkfuzz.minimize.minimize import Progress as Tried
    from vblkfuzz.scenario.scenario import Scenario


class MinimizeView:
    """A bar on stderr that shows how much of the input has been removed."""

    def __init__(self, scenario: Scenario, stop: Stop, place: str = "") -> None:
        console = Console(stderr=True, highlight=False, emoji=False)
        self._stop = stop
        self._place = place
        self._whole = _parts(scenario)
        columns = (SpinnerColumn(), BarColumn(), TextColumn("{task.description}"))
        self._bar = progress_bar(console, *columns)
        self._task = self._bar.add_task(f"{place}running the input", total=self._whole or 1)

    def __enter__(self) -> Self:
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the bar."""
        self._bar.stop()

    def update(self, progress: Tried) -> None:
        """Show the progress of the minimization.

        Raises:
            StopMinimizing: a signal has arrived.
        """
        best = progress.best
        self._bar.update(
            self._task,
            completed=self._whole - _parts(best),
            description=f"{self._place}{sizes(best)}, {progress.tried} tried",
        )
        if self._stop.status is not None:
            raise StopMinimizing


def _parts(scenario: Scenario) -> int:
    return len(scenario.ops) + len(scenario.schedule)


def sizes(scenario: Scenario) -> str:
    """Return the numbers of operations and deviations, in words."""
    ops, deviations = len(scenario.ops), len(scenario.schedule)
    return f"{counted(ops, 'operation')}, {counted(deviations, 'deviation')}"
