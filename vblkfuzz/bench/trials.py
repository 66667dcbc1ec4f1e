"""All trials of `vblkfuzz bench detect`: their order, several at a time, and how long they take.

They are interleaved: all searches for all devices with one seed, then with the next. So other work
of the machine affects all searches alike, and a bench that is interrupted has whole rounds. In each
round another search is the first.
"""

from __future__ import annotations

import select
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from vblkfuzz.bench.trial import Key, Trial
from vblkfuzz.bench.warm_process import WarmProcess

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from vblkfuzz.bench.searches.search import Budget


def order(devices: Sequence[str], searches: Sequence[str], trials: int) -> Iterator[Key]:
    """Yield all trials in the order in which they run; their seeds are 1, 2, ..."""
    for seed in range(1, trials + 1):
        first = (seed - 1) % len(searches)
        for device in devices:
            for search in (*searches[first:], *searches[:first]):
                yield Key(device, search, seed)


def run_all(todo: Iterable[Key], budget: Budget, jobs: int) -> Iterator[Trial]:
    """Run trials, `jobs` at a time; yield each when it has ended.

    Raises:
        HarnessError: a trial failed. The others that run are ended.
    """
    with ExitStack() as ended:
        warm: dict[str, WarmProcess] = {}
        running = 0
        for key in todo:
            if running == jobs:
                yield _first_ended(warm)
                running -= 1
            if key.search not in warm:
                warm[key.search] = ended.enter_context(WarmProcess(key.search, budget))
            warm[key.search].start(key)
            running += 1
        for _ in range(running):
            yield _first_ended(warm)


def _first_ended(warm: dict[str, WarmProcess]) -> Trial:
    ready, _, _ = select.select(list(warm.values()), [], [])
    first: WarmProcess = ready[0]
    return first.take()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a bench is."""

    last: Trial
    """The trial that has just ended."""
    done: int
    """Trials that have ended, those of before included."""
    total: int
    remaining_s: float
    """Seconds that the others are likely to take."""


def remaining_s(ended: Sequence[Trial], todo: Iterable[Key], jobs: int) -> float:
    """Return the seconds that trials are likely to take.

    A trial takes as long as others of the same search for the same device on average; where there
    is none, of the same search; else of all.
    """
    by_pair: dict[object, list[float]] = {}
    for one in ended:
        for name in ((one.device, one.search), one.search, None):
            by_pair.setdefault(name, []).append(one.seconds)
    means = {name: fmean(times) for name, times in by_pair.items()}
    overall = means.get(None, 0.0)
    times = (means.get(key[:2], means.get(key.search, overall)) for key in todo)
    return sum(times) / jobs
