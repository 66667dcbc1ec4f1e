"""What runs of PCT are worth: with what probability they would have hit a bug of some depth.

`campaign.tried` counts them in a worker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Bound(NamedTuple):
    """What all runs for bugs of one depth are worth."""

    stories: int
    runs: int
    best: float
    """The highest probability of a story: to hit a bug of that depth that this story can show."""
    mean: float
    """Mean of all stories that were tried."""

    @staticmethod
    def of(stories: int, runs: int, best: float, mean: float) -> Bound:
        """Return a bound that may be from elsewhere.

        Raises:
            TypeError, ValueError: these cannot be.
        """
        bound = Bound(int(stories), int(runs), float(best), float(mean))
        chances = 0 <= bound.best <= 1 and 0 <= bound.mean <= 1
        if not (chances and 0 < bound.stories <= bound.runs < 1 << 63):
            raise ValueError(f"expected a bound, found {bound}")
        return bound


Bounds = dict[int, Bound]
"""By depth."""


def together(several: Iterable[Mapping[int, Bound]]) -> Bounds:
    """Return the bounds of several workers, starts or campaigns together.

    A story that two of them have tried counts as two: which ones these are is not known here.
    """
    total: Bounds = {}
    for bounds in several:
        for depth, one in bounds.items():
            total[depth] = _sum(total[depth], one) if depth in total else one
    return dict(sorted(total.items()))


def _sum(one: Bound, other: Bound) -> Bound:
    stories = one.stories + other.stories
    mean = (one.stories * one.mean + other.stories * other.mean) / stories
    return Bound(stories, one.runs + other.runs, max(one.best, other.best), mean)


def words(bounds: Mapping[int, Bound]) -> str:
    """Return bounds in words; empty if there are none.

    >>> words({1: Bound(812, 2400, 0.9, 0.4811), 2: Bound(812, 2400, 0.1, 0.0123)})
    'P >= 0.48, 0.012 for a bug of depth 1, 2 (812 stories)'
    """
    if not bounds:
        return ""
    depths = ", ".join(map(str, bounds))
    chances = ", ".join(f"{one.mean:.2g}" for one in bounds.values())
    stories = max(one.stories for one in bounds.values())
    return f"P >= {chances} for a bug of depth {depths} ({stories:,} stories)"
