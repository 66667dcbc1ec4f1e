"""The page that `vblkfuzz bench detect --write` writes, and its curves, from results alone.

Equal results give an equal page.
"""

from __future__ import annotations

from statistics import median
from textwrap import fill
from typing import TYPE_CHECKING, Final

from vblkfuzz.bench.cells import effect, interval_of_counts, probability, seconds
from vblkfuzz.bench.comparison import LARGE, SIGNIFICANT
from vblkfuzz.bench.curves import curves_svg, grid_svg
from vblkfuzz.bench.report import pooled, rows_of, totals_of
from vblkfuzz.bench.searches.registry import DEFAULT, SEARCHES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vblkfuzz.bench.report import Row
    from vblkfuzz.bench.results import Setup
    from vblkfuzz.bench.sample import Sample
    from vblkfuzz.bench.trial import Trial

_MOST_IN_GRID: Final = 24
"""Bugs with a figure of their own: those with the highest medians of the default search."""
_FEW: Final = 4
"""Trials of each search with which U can have p < 0.05: all before all of four and four is one of
70 orders."""
_EXECS, _CPU = "executions", "CPU seconds"

_INTRODUCTION: Final = """\
# Time to detection

How soon campaigns find a bug, against what one could use instead. The whole page is written by
`vblkfuzz bench detect --write`; reasons for the method are in decision 0032 of vblkfuzz.
"""
_METHOD: Final = f"""\
A trial is one search for one bug with one seed, until the first finding or the limit. One that
found nothing is *censored*: it needed more than it had, and no value is made up for it. Medians are
those of Kaplan and Meier, with 95 % bootstrap intervals; a dash is above the limit.

A12 is the probability that a trial of `{DEFAULT}` needs less than one of the other search. Ties
count half; censored trials are tied with each other, above all findings. `{DEFAULT}` is *better*
with A12 of {LARGE} or more and p < {SIGNIFICANT} (Mann-Whitney U, two-sided), *worse* with A12 of
{1 - LARGE:.2f} or less and p < {SIGNIFICANT}, else the trials do not tell (*open*). The p-values
are not corrected for the number of bugs: of two equal searches, one bug in forty is expected to be
called better, and one worse.

CPU seconds are those from the start of Python to the finding. Start-up is the same for all trials
of a search: it was measured once and is counted in each. So are the examples of a state machine,
which are drawn once for all bugs. An execution of one search may cost several of another one's.
"""


def page_of(setup: Setup, trials: Sequence[Trial], curves: str) -> dict[str, bytes]:
    """Return the page and its figures.

    Args:
        setup: that of the trials.
        trials: at least one.
        curves: folder of the figures, relative to the page.

    Returns:
        Content by name; that of the page is empty, those of figures are in `curves`.
    """
    rows = rows_of(trials)
    sections = (
        _INTRODUCTION,
        "## How it was measured\n",
        *_measured(setup, trials),
        _METHOD,
        "## All bugs together\n",
        *_totals(rows),
        f"![Share of trials by executions]({curves}/executions.svg)\n",
        f"![Share of trials by CPU seconds]({curves}/cpu.svg)\n",
        f"## Where `{DEFAULT}` loses\n",
        *_losses(rows),
        "## Each bug\n",
        f"![Share of trials by executions, by bug]({curves}/bugs.svg)\n",
        *_each(rows),
    )
    return {
        "": "\n".join(sections).encode(),
        "executions.svg": curves_svg(pooled(rows, cpu=False), _EXECS),
        "cpu.svg": curves_svg(pooled(rows, cpu=True), _CPU),
        "bugs.svg": grid_svg(_hardest(rows), _EXECS),
    }


def _paragraph(text: str) -> str:
    return fill(text, 100, break_long_words=False, break_on_hyphens=False) + "\n"


def _measured(setup: Setup, trials: Sequence[Trial]) -> Iterator[str]:
    devices = {one.device for one in trials}
    seeds = {one.seed for one in trials}
    early = sum(not one.found and one.execs < setup.runs for one in trials)
    loads = [one.load for one in trials]
    yield _paragraph(
        f"{len(trials):,} trials: {len(devices)} bugs, up to {len(seeds)} seeds. Limit of a "
        f"trial: {setup.runs:,} executions or {setup.seconds:,.0f} s; {early} trials came to the "
        f"limit of seconds first. Machine: {setup.machine}; load average {min(loads):.1f} to "
        f"{max(loads):.1f}, median {median(loads):.1f}. Python {setup.python}, vblkfuzz "
        f"{setup.version}, begun {setup.begun}."
    )
    if len(seeds) < _FEW:
        yield _paragraph(
            f"With fewer than {_FEW} trials on each side no difference can be significant, "
            "however large it is: all comparisons below are open."
        )
    yield "| search | what it is |\n|---|---|"
    used = {one.search for one in trials}
    yield from (f"| `{name}` | {one.summary} |" for name, one in SEARCHES.items() if name in used)
    yield ""


def _totals(rows: Sequence[Row]) -> Iterator[str]:
    yield _paragraph(
        "Better, worse, open: the number of bugs for which the default search is that, compared "
        "with the search of the row. Start-up is in CPU seconds; executions per CPU second are "
        "those of all trials, without start-up."
    )
    yield (
        "| search | trials that found it | start-up | executions per CPU second "
        "| executions: better | worse | open | CPU seconds: better | worse | open |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for one in totals_of(rows):
        results = [
            str(of[name]) if any(of.values()) else ""
            for of in (one.by_execs, one.by_cpu)
            for name in ("better", "worse", "open")
        ]
        share = f"{one.found}/{one.trials} ({one.found / one.trials:.0%})"
        rate = f"{one.execs_per_cpu_s:,.0f}"
        cells = (f"`{one.search}`", share, seconds(one.start_s), rate, *results)
        yield f"| {' | '.join(cells)} |"
    yield ""


def _losses(rows: Sequence[Row]) -> Iterator[str]:
    lost = [
        f"* `{row.bug}` against `{row.search}`, in {unit}: A12 {effect(of)}, "
        f"p {probability(of.rank_p)}"
        for row in rows
        for of, unit in ((row.by_execs, _EXECS), (row.by_cpu, _CPU))
        if of is not None and of.result == "worse"
    ]
    yield "\n".join(lost or ["With no bug, in no unit."]) + "\n"


def _each(rows: Sequence[Row]) -> Iterator[str]:
    yield f"A12 and p are of `{DEFAULT}` against the search of the row.\n"
    yield (
        "| bug | search | found | executions (median) | A12 | p (U) | p (log-rank) "
        "| CPU seconds (median) | A12 | p (U) |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for row in rows:
        cells = (f"`{row.bug}`", f"`{row.search}`", row.counts, *_figures(row))
        yield f"| {' | '.join(cells)} |"
    yield ""


def _figures(row: Row) -> Iterator[str]:
    execs, cpu = row.by_execs, row.by_cpu
    yield interval_of_counts(row.median)
    yield effect(execs)
    yield probability(execs.rank_p) if execs else ""
    yield probability(execs.logrank_p) if execs else ""
    yield seconds(row.cpu_median)
    yield effect(cpu)
    yield probability(cpu.rank_p) if cpu else ""


def _hardest(rows: Sequence[Row]) -> dict[str, dict[str, Sample]]:
    """Return the executions of the bugs that get a figure, by bug and by search."""
    medians: dict[str, float] = {}
    for row in rows:  # the default search is the first of each bug, if there are trials of it
        medians.setdefault(row.bug, row.median.value)
    hardest = sorted(medians, key=lambda bug: medians[bug], reverse=True)[:_MOST_IN_GRID]
    return {
        bug: {row.search: row.execs for row in rows if row.bug == bug}
        for bug in medians
        if bug in hardest
    }
