"""A search: a way to look for the bug of a device, until the first finding or a limit.

Each search is one file of this folder, and a line in `bench.searches.registry`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from pathlib import Path

RANDOM_DEVIATIONS: Final = 8
"""Most deviations of a schedule that a search draws at random. Almost all ordering bugs need one or
two."""


class Budget(NamedTuple):
    """What one trial may take; whichever is reached first ends it."""

    runs: int
    """Executions."""
    seconds: float
    """Seconds of the wall clock, without the start-up."""


class Ended(NamedTuple):
    """How one trial ended."""

    execs: int
    """Executions until the first finding, that one included, or until the end."""
    found: str
    """Signature of the first finding; empty: there was none, the trial is censored."""
    drawn_s: float = 0.0
    """CPU seconds in which `Search.draw` has drawn these inputs."""


class Search(Protocol):
    """One way to search."""

    @property
    def name(self) -> str:
        """Its name in options, results and tables."""

    @property
    def summary(self) -> str:
        """What it does, in one line."""

    @property
    def needs_engine(self) -> bool:
        """Whether it needs a fuzzing engine."""

    @property
    def needs(self) -> str:
        """Package of the extra `bench` that it needs; empty: none."""

    def prepare(self) -> None:
        """Import and start, once, what all trials need: each is a fork of this process.

        Raises:
            ImportError: a package is not installed.
        """

    def draw(self, seed: int, budget: Budget) -> None:
        """Do once what is the same for all devices with a seed, before their trials are forked.

        Args:
            seed: as in `run`.
            budget: as in `run`.
        """

    def run(self, device: str, seed: int, budget: Budget, folder: Path) -> Ended:
        """Search once, in a process of its own.

        Args:
            device: as in ``--device`` of `vblkfuzz fuzz`.
            seed: another one makes another trial; the same one, with enough seconds, the same.
            budget: limits of the search.
            folder: an empty one, for what the search writes.

        Raises:
            HarnessError: the search could not be carried out.
            KeyboardInterrupt: the user stopped it.
        """
