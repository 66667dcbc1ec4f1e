"""All stories of an alphabet up to a length, each under all schedules of a few deviations.

Shortest stories first: a finding is told when all stories of its length have run, so it is known
that none is shorter, and that none of its length needs fewer deviations. The work is done in
processes, unit by unit (`unit`), and what is done is kept in a file (`story_position`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, NamedTuple

from vblkfuzz.explore.branches import Branches
from vblkfuzz.explore.story_position import Done, Key
from vblkfuzz.explore.unit import UnitRun, units
from vblkfuzz.process.crew import Crew
from vblkfuzz.scenario.codec import decode, encode
from vblkfuzz.targets.model import model
from vblkfuzz.targets.model_modes import InlineModel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vblkfuzz.explore.story_position import StoryPosition
    from vblkfuzz.scenario.device import DeviceConfig
    from vblkfuzz.scenario.op import Op
    from vblkfuzz.scenario.scenario import Scenario


@dataclass(frozen=True, slots=True)
class StoryBounds:
    """Which stories and schedules are run."""

    letters: tuple[Op, ...]
    """The operations that stories are made of."""
    length: int
    """Most operations of a story."""
    deviations: int
    """Most deviations of a schedule."""
    config: DeviceConfig
    """Configuration of the device."""


class Progress(NamedTuple):
    """How far an exploration is."""

    length: int
    """Operations of the stories that are being explored."""
    done: int
    """Units of this length that have been."""
    of: int


def story_crew(device: str, bounds: StoryBounds, processes: int) -> Crew:
    """Return processes that explore units, not started yet.

    Args:
        device: one that is built in.
        bounds: which stories and schedules.
        processes: how many.
    """

    def start() -> Callable[[list[int]], Done]:
        target = model(device, "inline")
        assert isinstance(target, InlineModel), "the command line has looked"
        branches = Branches(target.__enter__(), bounds.config, bounds.deviations)
        run = UnitRun(branches, bounds.config, bounds.letters).run
        units_of = cache(partial(units, bounds.letters))

        def explored(key: list[int]) -> Done:
            length, number = key
            result = run(units_of(length)[number])
            findings = {name: encode(one).hex() for name, one in result.findings.items()}
            counts = result.stories, result.schedules, result.prefixes, result.merged
            return Done(*counts, findings)

        return explored

    return Crew(processes, start)


class AllStories:
    """One exploration."""

    def __init__(self, bounds: StoryBounds, position: StoryPosition) -> None:
        """Explore the stories within bounds; go on from the position."""
        self._bounds = bounds
        self.position = position
        """What has been explored."""
        self.length = 0
        """All stories up to this number of operations have run."""
        self._told_length = 0

    def run(self, crew: Crew, stopped: Callable[[], bool]) -> Iterator[Progress]:
        """Explore what is left, and yield the progress after each unit.

        `length` has grown when all stories of a length have run.

        Args:
            crew: that of `story_crew`, started.
            stopped: whether to end early.

        Raises:
            HarnessError: a schedule could not be run.
            OSError: the position cannot be written.
        """
        for length in range(1, self._bounds.length + 1):
            of = len(units(self._bounds.letters, length))
            keys = [Key(length, number) for number in range(of)]
            left = [key for key in keys if not self.position.has(key)]
            yield Progress(length, of - len(left), of)
            for done, (key, said) in enumerate(crew.results(left, stopped), of - len(left) + 1):
                self.position.add(key, Done(*said))
                yield Progress(length, done, of)
            if stopped():
                return
            self.length = length

    def totals(self) -> Done:
        """Return the sums over the units that have been explored, without findings."""
        done = self.position.up_to(self._bounds.length)
        stories, schedules, prefixes, merged = (
            sum(counts) for counts in zip((0, 0, 0, 0), *(one[:4] for one in done), strict=True)
        )
        return Done(stories, schedules, prefixes, merged, {})

    def news(self) -> list[tuple[str, Scenario]]:
        """Return what the lengths have shown that have become complete since the last call.

        These are signatures, each with its smallest scenario, shortest first, then by the number of
        deviations. One that a shorter story has shown is not among them.
        """
        if self._told_length == self.length:
            return []
        before = self._findings(self._told_length)
        found = self._findings(self.length)
        self._told_length = self.length
        new = [(name, scenario) for name, scenario in found.items() if name not in before]
        return sorted(new, key=lambda item: _size(item[1]))

    def _findings(self, length: int) -> dict[str, Scenario]:
        """Return the smallest scenario of each signature in stories of at most `length`."""
        found: dict[str, Scenario] = {}
        for done in self.position.up_to(length):
            for signature, text in done.findings.items():
                scenario = decode(bytes.fromhex(text))
                if signature not in found or _size(scenario) < _size(found[signature]):
                    found[signature] = scenario
        return found


def _size(scenario: Scenario) -> tuple[int, int]:
    return len(scenario.ops), len(scenario.schedule)
