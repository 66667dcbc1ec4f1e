"""What the trials of `vblkfuzz bench detect` say: rows of searches for bugs, and their sums."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.bench.comparison import Comparison, Interval, compare, median_of
from vblkfuzz.bench.sample import Sample, cpu_seconds, executions, survival
from vblkfuzz.bench.searches.registry import DEFAULT, SEARCHES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vblkfuzz.bench.trial import Trial

_PLANTED: Final = "reference+"


class Row(NamedTuple):
    """One search for the bug of one device."""

    bug: str
    """Name of the defect, or the device as the user names it."""
    search: str
    execs: Sample
    cpu_s: Sample
    median: Interval
    """Of the executions."""
    cpu_median: float
    """CPU seconds."""
    start_s: float
    """CPU seconds of start-up of all trials together."""
    by_execs: Comparison | None
    """The default search against this one, in executions; None: this one is the default, or there
    are no trials of it."""
    by_cpu: Comparison | None
    """The same in CPU seconds."""

    @property
    def counts(self) -> str:
        """Trials that found the bug, and all."""
        return f"{len(self.execs.found)}/{self.execs.size}"


class Total(NamedTuple):
    """One search for all bugs."""

    search: str
    found: int
    """Trials that found the bug."""
    trials: int
    start_s: float
    """CPU seconds of start-up of a trial."""
    execs_per_cpu_s: float
    """Executions of all trials by their CPU seconds without start-up."""
    by_execs: dict[str, int]
    """Of the default against this one: number of bugs with which it is better, worse, open."""
    by_cpu: dict[str, int]


def rows_of(trials: Sequence[Trial]) -> list[Row]:
    """Return a row for each search of each bug, bugs in the order of their first trial."""
    grouped: dict[tuple[str, str], list[Trial]] = {}
    for one in trials:
        grouped.setdefault((one.device, one.search), []).append(one)
    devices = dict.fromkeys(one.device for one in trials)
    pairs = [(device, search) for device in devices for search in SEARCHES]
    return [_row(*pair, grouped) for pair in pairs if pair in grouped]


def _row(device: str, search: str, grouped: dict[tuple[str, str], list[Trial]]) -> Row:
    mine, other = grouped[device, search], grouped.get((device, DEFAULT), [])
    both = other if search != DEFAULT else []
    return Row(
        device.removeprefix(_PLANTED),
        search,
        execs := executions(mine),
        cpu_s := cpu_seconds(mine),
        median_of(execs),
        survival(cpu_s).median,
        sum(one.start_s for one in grouped[device, search]),
        compare(executions(both), execs) if both else None,
        compare(cpu_seconds(both), cpu_s) if both else None,
    )


def totals_of(rows: Sequence[Row]) -> Iterator[Total]:
    """Yield a row for each search."""
    for search in SEARCHES:
        mine = [row for row in rows if row.search == search]
        if mine:
            started_s, trials = (
                sum(row.start_s for row in mine),
                sum(row.execs.size for row in mine),
            )
            searched_s = _sum(row.cpu_s for row in mine) - started_s
            yield Total(
                search,
                sum(len(row.execs.found) for row in mine),
                trials,
                started_s / trials,
                _sum(row.execs for row in mine) / max(searched_s, 0.01),
                _results(row.by_execs for row in mine),
                _results(row.by_cpu for row in mine),
            )


def _sum(samples: Iterator[Sample]) -> float:
    return sum(sum(one.found) + sum(one.censored) for one in samples)


def _results(comparisons: Iterator[Comparison | None]) -> dict[str, int]:
    results = [one.result for one in comparisons if one is not None]
    return {name: results.count(name) for name in ("better", "worse", "open")}


def pooled(rows: Sequence[Row], *, cpu: bool) -> dict[str, Sample]:
    """Return a sample of the trials of all bugs for each search, in executions or CPU seconds."""
    found: dict[str, Sample] = {}
    for row in rows:
        known, mine = found.get(row.search, Sample(())), row.cpu_s if cpu else row.execs
        found[row.search] = Sample(known.found + mine.found, known.censored + mine.censored)
    return {search: found[search] for search in SEARCHES if search in found}
