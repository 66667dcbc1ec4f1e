"""The time budget of a campaign, for workers that have not begun when it ends.

Start-up counts, so it may use up the budget, if there are more workers than processors. One
worker then runs at least one input, so that each campaign has a result. The others run nothing.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from vblkfuzz.launch.plan import Stat

if TYPE_CHECKING:
    from vblkfuzz.launch.local import WorkerProcess

_FIRST_S: Final = 2.0
"""Seconds past the end for the first execution of a worker that has begun it."""


class TimeBudget:
    """Seconds from the start of a campaign; 0: no limit."""

    def __init__(self, started: float, seconds: float) -> None:
        self._seconds = seconds
        self.deadline = started + seconds if seconds else 0.0
        """On the clock of time.monotonic(); 0: none."""

    @property
    def over(self) -> bool:
        """Whether the budget has ended."""
        return self._passed(0.0)

    @property
    def said_over(self) -> str:
        """Says that the budget has ended; empty if it has not."""
        return f"the {self._seconds:g} s of the campaign are over" if self.over else ""

    def end_late(self, workers: list[WorkerProcess]) -> None:
        """End the workers that have not begun at the end; the first may, if none has."""
        if not self._passed(_FIRST_S):
            return
        idle = _idle(workers)
        for worker in idle[len(idle) == len(workers) :]:
            worker.give_up()

    def said_of(self, workers: list[WorkerProcess]) -> str:
        """Say that start-up used up the budget; empty if all workers ran an input."""
        idle = len(_idle(workers))
        if not (idle and self.over):
            return ""
        return (
            f"start-up took the {self._seconds:g} s of the campaign: {idle} of {len(workers)} "
            "workers ran nothing; give more time or fewer --workers"
        )

    def _passed(self, more_s: float) -> bool:
        return bool(self.deadline) and time.monotonic() >= self.deadline + more_s


def _idle(workers: list[WorkerProcess]) -> list[WorkerProcess]:
    return [worker for worker in workers if worker.statistic(Stat.EXECS) == 0]
