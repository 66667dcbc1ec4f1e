"""Minimize an input on a given target, with the help of a quicker one if possible.

The model gives the same trace in every mode, but `inline` takes a fraction of the time of
`processes`. If a quick target is given and shows the bug too, the search runs on it, and one run on
the given target confirms the result. If that run does not show the bug, the search is repeated on
the given target alone.

A schedule that interrupts the threads of a real device makes a race reliable. If the input shows
its bug in each of several runs, so must the result, and not by chance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.minimize.minimize import Minimized, Tell, minimize
from vblkfuzz.minimize.reproduce import Reproducer, Reproduction, find_bug

if TYPE_CHECKING:
    from vblkfuzz.minimize.reproduce import Beginning
    from vblkfuzz.scenario.expectation import Expectation
    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.targets.target import Target

_SURE: Final = 20
"""Runs that must all show a bug: one that shows in 9 of 10 of them passes in 1 of 8 cases."""
_SURE_OF_AN_END: Final = 6
"""The same of a bug that ends the process: a hang takes a second or two each time."""
_ENDS: Final = frozenset({"CRASH", "HANG"})
"""Rules that such a bug breaks."""


class MinimizedInput(NamedTuple):
    """A minimized input, and its run on `Asked.target` that shows the bug."""

    minimized: Minimized
    reproduction: Reproduction
    harness_errors: int
    """Runs of candidates that gave no verdict."""


class Asked(NamedTuple):
    """The targets to minimize on."""

    target: Target
    """The given target, started. Its verdict decides."""
    quick: Target | None = None
    """A faster target that should give the same traces, started."""
    runs: int = 1
    """Most runs of a scenario on `target` until it counts as not showing the bug; 1 if `target` is
    deterministic."""


def minimize_input(
    scenario: Scenario,
    expected: Expectation | Beginning | None,
    asked: Asked,
    tell: Tell = lambda _progress: None,
) -> MinimizedInput:
    """Return the smallest scenario that shows the same rule and signature on `asked.target`.

    Raises:
        NotReproduced: the input does not show the bug on that target.
        UsageError: several of the violations that it shows begin as `expected`.
        HarnessError: that target gives no verdict.
    """
    shown = find_bug(asked.target, scenario, expected, asked.runs)
    slow = Reproducer(asked.target, shown.bug, asked.runs)
    if asked.quick is not None:
        quick = Reproducer(asked.quick, shown.bug)
        if quick(scenario):
            found = minimize(scenario, quick, tell)
            confirmed = slow.run(found.scenario)
            if confirmed is not None:
                errors = quick.harness_errors + slow.harness_errors
                return MinimizedInput(found, confirmed, errors)
    found, confirmed = _on(slow, scenario, tell, _times(slow, shown, asked))
    return MinimizedInput(found, confirmed, slow.harness_errors)


def _times(reproducer: Reproducer, shown: Reproduction, asked: Asked) -> int:
    """Return in how many runs a scenario has to show the bug, each time.

    One suffices, unless the input interrupts threads of a real device and shows it in all.
    """
    if asked.runs > 1 or not any(shown.execution.trace.places):
        return 1
    times = _SURE_OF_AN_END if shown.bug.rule in _ENDS else _SURE
    return times if reproducer.surely(shown.execution.scenario, times - 1) else 1


def _on(
    reproducer: Reproducer, scenario: Scenario, tell: Tell, times: int
) -> tuple[Minimized, Reproduction]:
    """Minimize on one target; return also the run of the result that shows the bug.

    Args:
        reproducer: runs a scenario.
        scenario: the input.
        tell: as in `minimize`.
        times: in how many runs a scenario has to show the bug, each time.
    """
    shown: dict[Scenario, Reproduction] = {}

    def shows(candidate: Scenario) -> bool:
        run = reproducer.run(candidate)
        if run is None or not reproducer.surely(candidate, times - 1):
            return False
        shown.clear()
        shown[candidate] = run
        return True

    found = minimize(scenario, shows, tell)
    return found, shown[found.scenario]
