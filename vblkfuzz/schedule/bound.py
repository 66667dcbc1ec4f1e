"""What runs of PCT are worth: the probability with which they would have hit a bug."""

from __future__ import annotations


def hit_bound(actors: int, steps: int, depth: int, runs: int = 1) -> float:
    """Return the least probability that one of `runs` runs hits a bug of that depth.

    Args:
        actors: number of actors that have a priority, the story among them.
        steps: number of steps of a run, at most.
        depth: ordered pairs of steps that the bug needs, at least 1.
        runs: number of runs with priorities by lot.
    """
    misses: float = (1.0 - 1.0 / (actors * steps ** (depth - 1))) ** runs
    return 1.0 - misses
