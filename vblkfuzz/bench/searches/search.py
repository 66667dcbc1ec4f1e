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
    """Seconds of the wall clock, start-up included."""


class Ended(NamedTuple):
    """How one trial ended."""

    execs: int
    """Executions until the first finding, that one included, or until the end."""
    found: str
    """Signature of the first finding; empty: there was none, the trial is censored."""


class Search(Protocol):
    """One way to search."""

    @property
    def name(self) -> str:
        """Its name in options, results and tables."""

    @property
    def summary(self) -> str:
        """What it does, in one line."""

    @property
    def in_workers(self) -> bool:
        """Whether other processes do all the work, so that theirs is the time that counts."""

    @property
    def needs(self) -> str:
        """Package of the extra `bench` that it needs; empty: none."""

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
