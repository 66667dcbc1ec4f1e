"""Executions of a search that is no campaign: it runs scenarios until one breaks a rule."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from vblkfuzz.bench.searches.search import Budget, Ended
from vblkfuzz.errors import HarnessError
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.model import model

if TYPE_CHECKING:
    from vblkfuzz.targets.target import Target

_MAX_HARNESS_ERRORS: Final = 50
"""Harness errors in a row after which the search fails, as in a campaign."""


class Executions:
    """Runs scenarios on a started target, and counts."""

    def __init__(self, target: Target, budget: Budget) -> None:
        # Not above: a campaign imports what it instruments itself.
        from vblkfuzz.executor import run_scenario

        self._execute = run_scenario
        self._target = target
        self._runs = budget.runs
        self._deadline = time.monotonic() + budget.seconds
        self._execs = 0
        self._found = ""
        self._errors_in_a_row = 0

    @property
    def over(self) -> bool:
        """Whether the search has ended: it found something, or its budget is spent."""
        spent = self._execs >= self._runs or time.monotonic() >= self._deadline
        return bool(self._found) or (self._execs > 0 and spent)

    @property
    def ended(self) -> Ended:
        """How the search has ended."""
        return Ended(self._execs, self._found)

    def run(self, scenario: Scenario) -> None:
        """Run a scenario and note the first bug that it shows, if any.

        Raises:
            HarnessError: there was no verdict, and none in the executions before.
        """
        self._execs += 1
        try:
            causes = self._execute(self._target, scenario).verdict.causes
        except HarnessError:  # an input that hangs, say; the next one may not
            self._errors_in_a_row += 1
            if self._errors_in_a_row == _MAX_HARNESS_ERRORS:
                raise
            return
        self._errors_in_a_row = 0
        if causes:
            self._found = causes[0].signature


def prepare() -> None:
    """Import all that executions need, by the first one."""
    with model("reference", "inline") as target:
        Executions(target, Budget(1, 0.0)).run(Scenario())
