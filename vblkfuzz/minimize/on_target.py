"""Minimize an input on the target it is meant for, fast where that is possible.

The model runs the same scenario the same way in every mode, but `inline` costs a fraction of
`processes`. So the search runs on a quick target, if there is one that shows the bug too, and the
asked one confirms the result. If it does not, the search is done again on the asked one alone; so
it is for a bug that ends the process, which inline would be ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vblkfuzz.minimize.minimize import Minimized, Tell, minimize
from vblkfuzz.minimize.reproduce import Reproducer, Reproduction, find_bug

if TYPE_CHECKING:
    from vblkfuzz.scenario.expectation import Expectation
    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.targets.target import Target


class MinimizedInput(NamedTuple):
    """A minimized input and the run on the asked target that shows the bug."""

    minimized: Minimized
    reproduction: Reproduction
    harness_errors: int
    """Candidates' runs without a verdict."""


class Asked(NamedTuple):
    """What an input is to be minimized on."""

    target: Target
    """Started; decides."""
    quick: Target | None = None
    """Started; a faster one that behaves the same."""
    runs: int = 1
    """How often a scenario may run to show the bug, on a target that is not deterministic."""


def minimize_input(
    scenario: Scenario,
    expected: Expectation | None,
    asked: Asked,
    tell: Tell = lambda _progress: None,
) -> MinimizedInput:
    """Return the smallest scenario that shows the same rule and signature on the asked target.

    Raises:
        NotReproduced: the input does not show the bug.
        HarnessError: the asked target gives no verdict.
    """
    shown = find_bug(asked.target, scenario, expected, asked.runs)
    bug, fault = shown.bug, shown.execution.trace.fault
    slow = Reproducer(asked.target, bug, asked.runs)
    if asked.quick is not None and not (fault and fault.ends_process):
        quick = Reproducer(asked.quick, bug)
        if quick(scenario):
            found = minimize(scenario, quick, tell)
            confirmed = slow.run(found.scenario)
            if confirmed is not None:
                errors = quick.harness_errors + slow.harness_errors
                return MinimizedInput(found, confirmed, errors)
    found, confirmed = _on(slow, scenario, tell)
    return MinimizedInput(found, confirmed, slow.harness_errors)


def _on(reproducer: Reproducer, scenario: Scenario, tell: Tell) -> tuple[Minimized, Reproduction]:
    """Minimize on one target; the last run that showed the bug is that of the result."""
    shown: dict[Scenario, Reproduction] = {}

    def shows(candidate: Scenario) -> bool:
        run = reproducer.run(candidate)
        if run is None:
            return False
        shown.clear()
        shown[candidate] = run
        return True

    found = minimize(scenario, shows, tell)
    return found, shown[found.scenario]
