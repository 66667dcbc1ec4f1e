"""Views of ``bench detect``: how far it is, on stderr, and what it found, on stdout."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn

from vblkfuzz.bench.cells import effect, interval_of_counts, probability, seconds
from vblkfuzz.cli.views.progress_bar import progress_bar
from vblkfuzz.cli.views.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vblkfuzz.bench.comparison import Comparison
    from vblkfuzz.bench.report import Row
    from vblkfuzz.bench.results import Setup
    from vblkfuzz.bench.trials import Progress

_HEAD = ("bug", "search", "found", "executions", "A12", "p", "default is", "CPU s", "default is")


def watch(trials: Iterator[Progress]) -> None:
    """Run trials, and show how many have ended and what time the rest takes.

    On a terminal that is a bar, elsewhere a line whenever another tenth of them has ended.
    """
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    console = Console(stderr=True, highlight=False, emoji=False)
    tenths = 0
    with progress_bar(console, *columns) as bar:
        task = bar.add_task("")
        for one in trials:
            name = f"{one.last.search} on {one.last.device}, seed {one.last.seed}"
            left = f"{duration(one.remaining_s)} left"
            bar.update(task, total=one.total, completed=one.done, description=f"{left}; {name}")
            if bar.disable and 10 * one.done // one.total > tenths:
                tenths = 10 * one.done // one.total
                print(f"{one.done} of {one.total} trials, about {left}", file=sys.stderr)


def duration(span_s: float) -> str:
    """Return a time in words.

    >>> duration(20), duration(250), duration(7400)
    ('20s', '4m10s', '2h3m')
    """
    minutes, rest = divmod(round(span_s), 60)
    if minutes >= 60:
        return f"{minutes // 60}h{minutes % 60}m"
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def show(rows: Sequence[Row]) -> None:
    """Print a line for each search of each bug."""
    Screen().table(_HEAD, [_cells(row) for row in rows])


def _cells(row: Row) -> tuple[str, ...]:
    execs = row.by_execs
    return (
        row.bug,
        row.search,
        row.counts,
        interval_of_counts(row.median),
        effect(execs),
        probability(execs.rank_p) if execs else "",
        execs.result if execs else "",
        seconds(row.cpu_median),
        row.by_cpu.result if row.by_cpu else "",
    )


def as_object(setup: Setup, rows: Sequence[Row]) -> dict[str, Any]:
    """Return the object of ``--json``; a median above the limit is null."""
    return {"setup": asdict(setup), "rows": [_values(row) for row in rows]}


def _values(row: Row) -> dict[str, Any]:
    return {
        "bug": row.bug,
        "search": row.search,
        "found": len(row.execs.found),
        "trials": row.execs.size,
        "execs": _finite(row.median.value),
        "execs_interval": [_finite(row.median.low), _finite(row.median.high)],
        "cpu_s": _finite(row.cpu_median),
        "by_execs": _comparison(row.by_execs),
        "by_cpu_s": _comparison(row.by_cpu),
    }


def _comparison(of: Comparison | None) -> dict[str, Any] | None:
    if of is None:
        return None
    return {
        "a12": round(of.a12.value, 4),
        "a12_interval": [round(of.a12.low, 4), round(of.a12.high, 4)],
        "rank_p": of.rank_p,
        "logrank_p": of.logrank_p,
        "default_is": of.result,
    }


def _finite(value: float) -> float | None:
    return None if value == float("inf") else value
