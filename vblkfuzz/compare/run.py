"""Runs one input on all sides in turn; an input that a side cannot judge is noted, not fatal."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vblkfuzz.errors import HarnessError
from vblkfuzz.executor import run_scenario

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.executor import Execution
    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.targets.target import Target


class NotJudged(NamedTuple):
    """A run without a verdict."""

    input: str
    """Name of the input."""
    side: int
    error: str


def run_once(
    targets: Sequence[Target], scenario: Scenario, first: int = 0
) -> list[Execution | HarnessError]:
    """Run a scenario once on each side, beginning with side `first`: load affects all alike."""
    count = len(targets)
    found: dict[int, Execution | HarnessError] = {}
    for at in range(first, first + count):
        try:
            found[at % count] = run_scenario(targets[at % count], scenario)
        except HarnessError as error:
            found[at % count] = error
    return [found[at] for at in range(count)]
