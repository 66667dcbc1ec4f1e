"""What people see of a minimization: a bar that moves on a terminal, and what came out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

from vblkfuzz.triage.minimize.minimize import StopMinimizing

if TYPE_CHECKING:
    from typing import Self

    from vblkfuzz.cli.stop import Stop
    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.triage.minimize.minimize import Progress as Tried


class MinimizeView:
    """A bar on stderr: how much of the input is gone. Nothing where that is no terminal."""

    def __init__(self, scenario: Scenario, stop: Stop) -> None:
        console = Console(stderr=True, highlight=False, emoji=False)
        self._stop = stop
        self._whole = _parts(scenario)
        self._bar = Progress(
            SpinnerColumn(),
            BarColumn(),
            TextColumn("{task.description}"),
            console=console,
            transient=True,
            disable=not console.is_terminal or console.is_dumb_terminal,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._bar.add_task("running the input", total=self._whole or 1)

    def __enter__(self) -> Self:
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Remove it."""
        self._bar.stop()

    def tell(self, progress: Tried) -> None:
        """Show where the minimization is.

        Raises:
            StopMinimizing: a signal came.
        """
        best = progress.best
        self._bar.update(
            self._task,
            completed=self._whole - _parts(best),
            description=f"{sizes(best)}, {progress.tried} tried",
        )
        if self._stop.status is not None:
            raise StopMinimizing


def _parts(scenario: Scenario) -> int:
    return len(scenario.ops) + len(scenario.schedule)


def sizes(scenario: Scenario) -> str:
    """Return how large a scenario is, in words."""
    ops, deviations = len(scenario.ops), len(scenario.schedule)
    return f"{_count(ops, 'operation')}, {_count(deviations, 'deviation')}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
