"""What a worker has tried with PCT, story by story, and what that is worth.

A story is the device and the operations of an input. In how many runs of one story schedulers had
to find a bug of some depth gives the probability with which they would have hit it
(`schedule.bound`), if the story can show it.
"""

from __future__ import annotations

from collections import defaultdict
from math import expm1, log1p
from typing import Final, NamedTuple

from vblkfuzz.schedule.bound import hit_bound

_MAX_STORIES: Final = 1 << 16
"""Stories whose runs are counted; later ones are not, which makes the bound smaller."""


class Bound(NamedTuple):
    """What all runs for bugs of one depth are worth."""

    stories: int
    runs: int
    best: float
    """The highest probability of a story: to hit a bug of that depth that this story can show."""
    mean: float
    """Mean of all stories that were tried."""


class Tried:
    """The runs of PCT so far."""

    def __init__(self) -> None:
        self._missed: defaultdict[int, dict[bytes, float]] = defaultdict(dict)
        """By depth and story: logarithm of the probability that all runs have missed."""
        self._runs: defaultdict[int, int] = defaultdict(int)

    def note(self, story: bytes, depth: int, actors: int, steps: int) -> None:
        """Count a run; `actors` and `steps` as in `hit_bound`."""
        missed = self._missed[depth]
        if story in missed or len(missed) < _MAX_STORIES:
            self._runs[depth] += 1
            missed[story] = missed.get(story, 0.0) + log1p(-hit_bound(actors, steps, depth))

    def bounds(self) -> dict[int, Bound]:
        """Return the bound of each depth that was tried, by depth."""
        return {depth: self._bound(depth) for depth in sorted(self._missed)}

    def _bound(self, depth: int) -> Bound:
        hit = [-expm1(missed) for missed in self._missed[depth].values()]
        return Bound(len(hit), self._runs[depth], max(hit), sum(hit) / len(hit))
