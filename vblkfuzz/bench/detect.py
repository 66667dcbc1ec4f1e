"""``vblkfuzz bench detect``: how soon searches find bugs, the default one against others.

All trials that the file of results lacks are run (`bench.trials`), then the file is reported
(`bench.report`, `bench.page`). What is compared, and how: docs/decisions/0032.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from vblkfuzz.bench.searches.registry import SEARCHES
from vblkfuzz.bench.trials import Progress, order, remaining_s, run_all
from vblkfuzz.campaign.engine import check_engine
from vblkfuzz.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vblkfuzz.bench.results import Results
    from vblkfuzz.bench.searches.search import Budget

SHORT: Final = ("no_selfkick", "poll_bypasses_drain", "sector_reversed", "restart_uncounted")
"""Defects of the short form: of four families, each found in hundreds of executions."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Which trials there are to be."""

    devices: tuple[str, ...]
    searches: tuple[str, ...]
    trials: int
    """Seeds of each search for each device."""
    budget: Budget
    jobs: int = 1
    """Trials that run at a time."""


def check(searches: Iterable[str], *, drawn: bool) -> None:
    """Check that there is what trials and their report need, before the first one.

    Args:
        searches: names of those that are to run.
        drawn: whether there are curves, too.

    Raises:
        UsageError: a package of the extra `bench` is not installed.
        HarnessError: there is no fuzzing engine.
    """
    wanted = [SEARCHES[name] for name in searches]
    if any(one.needs_engine for one in wanted):
        check_engine()
    for package in ("scipy", *("matplotlib",) * drawn, *(one.needs for one in wanted)):
        if package and find_spec(package) is None:
            raise UsageError(
                f"bench detect needs {package}, which is not installed: "
                "pip install 'vblkfuzz[bench]'"
            )


def run_missing(plan: Plan, results: Results) -> Iterator[Progress]:
    """Run the trials that the results lack, and add each when it has ended.

    Raises:
        UsageError: the file of a user's device has changed since its trials were run.
        HarnessError: a trial failed.
        KeyboardInterrupt: the user stopped one.
        OSError: a result cannot be written.
    """
    results.check_devices(plan.devices)
    known = {one.key for one in results.trials}
    wanted = list(order(plan.devices, plan.searches, plan.trials))
    todo = {key: None for key in wanted if key not in known}
    for trial in run_all(tuple(todo), plan.budget, plan.jobs):
        results.add(trial)
        del todo[trial.key]
        rest = remaining_s(results.trials, todo, plan.jobs)
        yield Progress(trial, len(wanted) - len(todo), len(wanted), rest)
