"""One exploration: the schedules of an input on a target, its results, and how far it has come.

On the model it begins anew each time, since it is fast and a user's device may have changed. On a
real device the same command goes on from where it was stopped.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from vblkfuzz.explore.choice import search_for
from vblkfuzz.explore.explored import Explored
from vblkfuzz.explore.position import Position
from vblkfuzz.explore.search import visits
from vblkfuzz.scenario.codec import encode
from vblkfuzz.targets.registry import MODEL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from vblkfuzz.explore.search import Visit
    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.targets.options import TargetOptions
    from vblkfuzz.targets.target import Target


class Bounds(NamedTuple):
    """Which schedules are run."""

    most: int
    """Largest number of deviations."""
    ops: tuple[int, ...] = ()
    """Numbers of the operations to deviate in; empty: all."""


class Exploration:
    """Runs the schedules that are left, and keeps the results."""

    def __init__(
        self,
        target: Target,
        scenario: Scenario,
        bounds: Bounds,
        out: Path,
        listed: Mapping[str, str],
    ) -> None:
        """Explore a scenario on a started target.

        Args:
            target: the target.
            scenario: its operations and device; its schedule is ignored.
            bounds: which schedules.
            out: the output folder, claimed.
            listed: the bugs that the device lists as known.

        Raises:
            UsageError: schedules have no effect there.
        """
        real = target.name != MODEL
        self.explored = Explored(target, out / "findings", listed, repeats=real)
        self._target, self._scenario, self._bounds = target, scenario, bounds
        self._search = search_for(target, scenario, bounds.most, bounds.ops)
        self._out = out
        self._position: Position | None = None

    def remember(self, options: TargetOptions) -> None:
        """Go on from the position in the output folder, if there is one, and keep it up to date.

        Args:
            options: those of the target: with others it would be another exploration.

        Raises:
            UsageError: the position cannot be read, or is of another exploration.
        """
        if self._target.name != MODEL:
            self._position = Position(self._out, self._of(options))
            self._position.restore(self.explored)

    def _of(self, options: TargetOptions) -> dict[str, str]:
        versions: dict[str, str] = getattr(self._target, "versions", {})
        data = encode(replace(self._scenario, schedule=()))
        return {
            "target": f"{self._target.name} {self._target.device}",
            "version of the program": " ".join(sorted(versions.values())),
            "option of the target": " ".join(options.words),
            "scenario": blake2b(data, digest_size=16).hexdigest(),
            "number of deviations": str(self._bounds.most),
            "choice of operations": " ".join(map(str, self._bounds.ops)),
        }

    @property
    def remembers(self) -> bool:
        """Whether the same command would go on from here."""
        return self._position is not None

    def visits(self) -> Iterator[Visit]:
        """Run the schedules that are left, one per item taken.

        Raises:
            HarnessError: no schedule can be judged any more.
        """
        explored = self.explored
        before = list(explored.learnt)
        return visits(self._target, self._scenario, self._search, before, explored.fail)

    def keep(self, *, now: bool = False) -> None:
        """Write the position, if it is time.

        Raises:
            OSError: it cannot be written.
        """
        if self._position is not None:
            self._position.keep(self.explored, now=now)
