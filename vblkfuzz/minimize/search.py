"""The search: the smallest scenario so far, and the candidates tried.

Each pass of the minimizer gives candidates to `Search.attempt`. A candidate that is smaller
(`weight`) and still shows the bug becomes the best. A candidate is run only once, so the minimizer
can repeat all passes until nothing changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from vblkfuzz.minimize.weight import weight

if TYPE_CHECKING:
    from vblkfuzz.scenario.scenario import Scenario

Interesting = Callable[["Scenario"], bool]
"""Whether a scenario shows what it is minimized for."""


class Progress(NamedTuple):
    """Progress of a minimization."""

    best: Scenario
    tried: int
    """Number of candidates run so far."""


Tell = Callable[[Progress], None]
"""Called with the progress after each candidate; may raise `StopMinimizing`."""


class StopMinimizing(Exception):  # a request, not an error
    """Raised by a `Tell` to end the minimization with the best scenario so far."""


class Search:
    """The smallest scenario so far."""

    def __init__(self, scenario: Scenario, interesting: Interesting, tell: Tell) -> None:
        self.best = scenario
        self._weight = weight(scenario)
        self._interesting = interesting
        self._tell = tell
        self._tried = {scenario}

    @property
    def tried(self) -> int:
        """Number of candidates run so far, without the scenario that the search started from."""
        return len(self._tried) - 1

    def attempt(self, candidate: Scenario | None) -> bool:
        """Make a candidate the best if it is smaller and interesting; return whether it is."""
        if candidate is None or candidate in self._tried:
            return False
        its_weight = weight(candidate)
        if its_weight >= self._weight:
            return False
        self._tried.add(candidate)
        smaller = self._interesting(candidate)
        if smaller:
            self.best, self._weight = candidate, its_weight
        self._tell(Progress(self.best, self.tried))
        return smaller
