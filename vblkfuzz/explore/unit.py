"""A unit of work: all stories of one length that begin alike, under all schedules.

Units do not depend on one another, so several processes explore them, and an exploration that was
killed loses those that were under way.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from vblkfuzz.errors import HarnessError
from vblkfuzz.explore.stories import longer, stories
from vblkfuzz.scenario.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vblkfuzz.explore.branches import Branches, Schedule
    from vblkfuzz.explore.stories import Story
    from vblkfuzz.scenario.device import DeviceConfig
    from vblkfuzz.scenario.op import Op

_OPEN = 2
"""Number of operations in which the stories of a unit differ."""


class Unit(NamedTuple):
    """The stories of a length that begin with `start`."""

    length: int
    start: Story


def units(letters: Sequence[Op], length: int) -> list[Unit]:
    """Return the units of all stories of a length, in the order of the stories."""
    return [Unit(length, start) for start in stories(letters, max(0, length - _OPEN))]


@dataclass(slots=True)
class UnitResult:
    """What became of the stories of a unit."""

    stories: int = 0
    schedules: int = 0
    """How many were run and judged."""
    prefixes: int = 0
    """How many more were run, of the stories without their last operations."""
    merged: int = 0
    """How many of those ended where another one had, so that none goes on from them."""
    findings: dict[str, Scenario] = field(default_factory=dict)
    """By signature: the first of those with the fewest deviations."""


class UnitRun:
    """Explores units."""

    def __init__(self, branches: Branches, device: DeviceConfig, letters: Sequence[Op]) -> None:
        self._branches, self._device, self._letters = branches, device, letters

    def run(self, unit: Unit) -> UnitResult:
        """Explore the stories of a unit.

        Raises:
            HarnessError: a schedule could not be run; the message names the story.
        """
        result = UnitResult()
        self._descend((), [()], unit, result)
        return result

    def _descend(
        self, story: Story, starts: Sequence[Schedule], unit: Unit, result: UnitResult
    ) -> None:
        """Explore the stories of a unit that are longer than `story` by one operation."""
        for longer_one in self._below(story, unit):
            last = len(longer_one) == unit.length
            try:
                found = self._branches.explore(longer_one, starts, judged=last, goes_on=not last)
            except HarnessError as error:
                words = " ".join(map(repr, longer_one))
                raise HarnessError(f"story {words}: {error.sentence}") from error
            if not last:
                result.prefixes += found.schedules
                result.merged += found.merged
                self._descend(longer_one, found.onward, unit, result)
                continue
            result.stories += 1
            result.schedules += found.schedules
            for signature, schedule in found.findings.items():
                self._keep(signature, Scenario(self._device, longer_one, schedule), result)

    def _below(self, story: Story, unit: Unit) -> Iterator[Story]:
        if len(story) < len(unit.start):
            yield unit.start[: len(story) + 1]
        else:
            yield from longer(story, self._letters)

    def _keep(self, signature: str, scenario: Scenario, result: UnitResult) -> None:
        before = result.findings.get(signature)
        if before is None or len(scenario.schedule) < len(before.schedule):
            result.findings[signature] = scenario
