"""Trials that did not run, and a setup for them."""

from __future__ import annotations

from vblkfuzz.bench.results import Setup
from vblkfuzz.bench.searches.search import Budget
from vblkfuzz.bench.trial import Key, Trial

BUDGET = Budget(500, 3600)
SETUP = Setup(500, 3600, "0123", "1.0", "3.11.7", "a processor, 2 cores", "2026-11-30")


def trial(key: Key, execs: int = 100, found: str = "s1") -> Trial:
    """A trial that found something, or was censored."""
    return Trial(*key, execs=execs, cpu_s=execs / 100, seconds=2, found=found, load=0.5)


def trials_of(execs: dict[str, list[int]], device: str = "reference+wakes_one") -> list[Trial]:
    """Trials of searches for one bug; those at the limit of executions found nothing."""
    return [
        trial(Key(device, search, seed), needed, "" if needed == BUDGET.runs else "l3")
        for search, all_needed in execs.items()
        for seed, needed in enumerate(all_needed, 1)
    ]
