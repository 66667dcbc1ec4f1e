"""``vblkfuzz bench detection``: how long planted bugs stay hidden, and what feedback is worth.

Each search is a campaign of its own: one worker, inline, from an empty corpus, until the first
finding or the end of its budget. The searches differ in what libFuzzer is told:

* *guided*: blocks of guest and device, and the states they go through, as in any campaign;
* *blocks*: blocks only, which is what other fuzzers see;
* *blind*: nothing, so that no input is kept and each is a few mutations away from none. The
  mutator is the same: it knows what a driver does, and that races need two operations.

All searches for a bug follow each other with one seed, then with the next: what the machine does
meanwhile hits them alike. Executions tell what a search is worth, seconds what it costs.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.campaign.orchestrator import Campaign, CampaignOptions
from vblkfuzz.errors import ExitStatus, HarnessError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vblkfuzz.launch.plan import Message
    from vblkfuzz.store.summary import Summary

DEFECTS: Final = ("recount_late", "fall_back_missing", "double_schedule")
"""What is looked for by default: planted bugs that take thousands of executions."""

_STOPPED: Final = (ExitStatus.USER_STOP, ExitStatus.INTERRUPTED)


class Feedback(NamedTuple):
    """What libFuzzer is told."""

    feedback: bool
    states: bool


SEARCHES: Final = {
    "guided": Feedback(True, True),
    "blocks": Feedback(True, False),
    "blind": Feedback(False, False),
}
"""By name, in the order in which they run."""


@dataclass(frozen=True, slots=True)
class Detection:
    """One campaign."""

    defect: str
    search: str
    seed: int
    execs: int
    """Executions until the finding, or until the budget was spent."""
    seconds: float
    """The same, in seconds."""
    found: str
    """Signature; empty: nothing was found."""


class Median(NamedTuple):
    """A search for a bug over all seeds. A search that found nothing counts as longer than any."""

    defect: str
    search: str
    found: int
    """Seeds with which the bug was found."""
    seeds: int
    execs: float | None
    """None: most seeds found nothing."""
    seconds: float | None


def detections(defects: tuple[str, ...], seeds: int, budget_s: float) -> Iterator[Detection]:
    """Run all campaigns, one after the other.

    Args:
        defects: planted in the reference, one at a time.
        seeds: campaigns of each search for each bug; seeds count from 1.
        budget_s: seconds of each campaign.

    Raises:
        KeyboardInterrupt: the user stopped it.
        HarnessError: a campaign could not be judged.
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
            **SEARCHES[search]._asdict(),
        )
        summary = _run(options)
    first = min(summary.findings.values(), key=lambda one: one.first_exec, default=None)
    if first is None:
        return Detection(defect, search, seed, summary.execs, summary.seconds, "")
    return Detection(defect, search, seed, first.first_exec, first.first_s, first.signature)


def _run(options: CampaignOptions) -> Summary:
    campaign = Campaign(options, _say_nothing, _say_nothing)
    status = campaign.run()
    if status in _STOPPED:
        raise KeyboardInterrupt
    if status not in (ExitStatus.CLEAN, ExitStatus.VIOLATION):
        raise HarnessError(f"{options.device}, seed {options.seed}: {campaign.summary.last_error}")
    return campaign.summary


def _say_nothing(_: Message | Summary) -> None:
    """Only the end counts."""


def medians(rows: list[Detection]) -> list[Median]:
    """Return a row for each search of each bug, in the order in which they began."""
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
