"""``vblkfuzz bench detection``: time to detection of planted bugs, with and without feedback.

Each search is a campaign of its own: one worker, inline, from an empty corpus, until the first
finding or the end of its budget. The searches differ in the feedback that libFuzzer gets:

* *guided*: blocks of guest and device, and state features, as in any campaign;
* *blocks*: blocks only, as in other fuzzers;
* *blind*: none, so that no input is kept and each is a few mutations away from the empty one. The
  mutator is the same: it prefers valid driver sequences and races.

For each bug, all searches run with one seed, then all with the next, so that other load on the
machine affects them alike. Executions measure the quality of a search, seconds its cost.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.campaign.options import CampaignOptions
from vblkfuzz.campaign.orchestrator import Campaign
from vblkfuzz.errors import ExitStatus, HarnessError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vblkfuzz.launch.plan import Message
    from vblkfuzz.store.summary import Summary

DEFECTS: Final = ("recount_late", "fall_back_missing", "double_schedule")
"""Bugs searched for by default: each takes thousands of executions to find."""

_STOPPED: Final = (ExitStatus.USER_STOP, ExitStatus.INTERRUPTED)


class Feedback(NamedTuple):
    """The feedback that libFuzzer gets, as in `launch.plan.WorkerPlan`."""

    feedback: bool
    states: bool


SEARCHES: Final = {
    "guided": Feedback(True, True),
    "blocks": Feedback(True, False),
    "blind": Feedback(False, False),
}
"""Searches by name, in the order in which they run."""


@dataclass(frozen=True, slots=True)
class Detection:
    """The result of one campaign."""

    defect: str
    search: str
    seed: int
    execs: int
    """Executions until the finding, or until the budget was spent."""
    seconds: float
    """Seconds until the same."""
    found: str
    """Signature; empty: nothing was found."""


class Median(NamedTuple):
    """Medians of a search for a bug over seeds; a seed that found nothing counts as infinite."""

    defect: str
    search: str
    found: int
    """Number of seeds with which the bug was found."""
    seeds: int
    execs: float | None
    """None: the median is infinite. The same holds for `seconds`."""
    seconds: float | None


def detections(defects: tuple[str, ...], seeds: int, budget_s: float) -> Iterator[Detection]:
    """Run all campaigns, one after the other.

    Args:
        defects: names of defects; they are planted in the reference, one at a time.
        seeds: campaigns of each search for each bug, with seeds 1, 2, ...
        budget_s: time limit of each campaign (seconds).

    Raises:
        KeyboardInterrupt: the user stopped a campaign.
        HarnessError: a campaign ended by an error of the harness.
    """
    for defect in defects:
        for seed in range(1, seeds + 1):
            for search in SEARCHES:
                yield _detect(defect, search, seed, budget_s)


def _detect(defect: str, search: str, seed: int, budget_s: float) -> Detection:
    with tempfile.TemporaryDirectory(prefix="vblkfuzz-bench-") as out:
        options = CampaignOptions(
            Path(out),
            device=f"reference+{defect}",
            mode="inline",
            seconds=budget_s,
            seed=seed,
            stop_on_first=True,
            minimize=False,
            **SEARCHES[search]._asdict(),
        )
        summary = _run(options)
    first = min(summary.findings.values(), key=lambda one: one.first_exec, default=None)
    if first is None:
        return Detection(defect, search, seed, summary.execs, summary.seconds, "")
    return Detection(defect, search, seed, first.first_exec, first.first_s, first.signature)


def _run(options: CampaignOptions) -> Summary:
    campaign = Campaign(options, _ignore, _ignore)
    status = campaign.run()
    if status in _STOPPED:
        raise KeyboardInterrupt
    if status not in (ExitStatus.CLEAN, ExitStatus.VIOLATION):
        raise HarnessError(f"{options.device}, seed {options.seed}: {campaign.summary.last_error}")
    return campaign.summary


def _ignore(_: Message | Summary) -> None:
    """Report nothing: only the final summary is used."""


def medians(rows: list[Detection]) -> list[Median]:
    """Return a row for each search of each bug, in the order of their first campaign."""
    pairs = dict.fromkeys((row.defect, row.search) for row in rows)
    return [
        _median(*pair, [row for row in rows if (row.defect, row.search) == pair]) for pair in pairs
    ]


def _median(defect: str, search: str, rows: list[Detection]) -> Median:
    never = float("inf")
    execs = median(row.execs if row.found else never for row in rows)
    seconds = median(row.seconds if row.found else never for row in rows)
    found = sum(bool(row.found) for row in rows)
    if execs == never:
        return Median(defect, search, found, len(rows), None, None)
    return Median(defect, search, found, len(rows), execs, round(seconds, 1))
