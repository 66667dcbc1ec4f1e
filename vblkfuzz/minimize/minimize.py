"""Minimize: find the smallest scenario that shows the same bug. Start reading here.

    Scenario --passes over ops, schedule, device, arguments--> Minimized
        ^                                    |
        `-- a smaller one (`weight`) that is still interesting

`minimize` takes a predicate; `reproduce` provides one for a target and a bug. The passes are
repeated until none of them makes progress, so the result is a fixed point: minimizing it again
changes nothing. There is no randomness: equal inputs give equal results.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.errors import NotReproduced
from vblkfuzz.minimize.edit import items_of, scenario_of
from vblkfuzz.minimize.search import Interesting, Progress, Search, StopMinimizing, Tell
from vblkfuzz.minimize.shrink_ops import (
    drop_and_move,
    drop_few,
    drop_partners,
    drop_runs,
    in_order,
    join_kicks,
    plainer_kinds,
)
from vblkfuzz.minimize.shrink_schedule import (
    drop_deviations,
    move_instead,
    simpler_deviations,
)
from vblkfuzz.minimize.shrink_values import default_device, lowest_arguments

if TYPE_CHECKING:
    from vblkfuzz.scenario.scenario import Scenario

_PASSES: Final = (
    drop_deviations,
    drop_runs,
    drop_partners,
    join_kicks,
    default_device,
    lowest_arguments,
    drop_few,
    drop_deviations,
    move_instead,
    drop_and_move,
    plainer_kinds,
    simpler_deviations,
    in_order,
)
"""In order: passes that drop most at least cost come first, so that later ones are shorter."""


class Minimized(NamedTuple):
    """Result of a minimization."""

    scenario: Scenario
    """The smallest interesting scenario found."""
    tried: int
    """Number of candidates run."""
    complete: bool
    """Whether the result is a fixed point; False: the minimization was stopped before."""


def minimize(
    scenario: Scenario, interesting: Interesting, tell: Tell = lambda _progress: None
) -> Minimized:
    """Return the smallest interesting scenario that the passes find.

    Args:
        scenario: the scenario to start from.
        interesting: whether a scenario shows what it is minimized for; called once per candidate.
        tell: called with the progress after each candidate; may raise `StopMinimizing` to end
            with the best scenario so far.

    Raises:
        NotReproduced: `scenario` itself is not interesting.
    """
    if not interesting(scenario):
        raise NotReproduced("the input does not show what it is to be minimized for")
    search = Search(scenario, interesting, tell)
    try:
        search.attempt(scenario_of(scenario.device, items_of(scenario)))
        before = None
        while before != search.best:
            before = search.best
            for shrink in _PASSES:
                shrink(search)
    except StopMinimizing:
        return Minimized(search.best, search.tried, complete=False)
    return Minimized(search.best, search.tried, complete=True)


__all__ = ["Interesting", "Minimized", "Progress", "StopMinimizing", "Tell", "minimize"]
