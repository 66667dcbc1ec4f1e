"""Charts and tables of the figures that a ledger has over time."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from vblkfuzz.web.chart import Chart, chart, rates
from vblkfuzz.web.place import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vblkfuzz.store.course import Course
    from vblkfuzz.store.history import History

_LINES: Final = 8
"""Workers with a line of their own: so many can be told apart."""


def charts_of(history: History, courses: Sequence[Course]) -> list[Chart]:
    """Return the charts of all campaigns, one after the other, and of the last one's workers."""
    points = list(_one_after_the_other(courses))
    first = sorted(one.earlier_s + one.first_s for one in history.sightings.values())
    speed = [
        (before + seconds, rate)
        for before, course in _with_begin(courses)
        for seconds, rate in rates([(one.seconds, one.execs) for one in course.points])
    ]
    found = [(seconds, float(bisect_right(first, seconds))) for seconds, _ in points]
    workers = {f"worker {at}": line for at, line in list(_worker_rates(courses).items())[:_LINES]}
    charts = (
        chart("Executions per second", {"": speed}),
        chart("Features", {"": points}),
        chart("Findings", {"": found}),
        chart("Executions per second, by worker", workers) if len(workers) > 1 else None,
    )
    return [one for one in charts if one]


def workers_of(courses: Sequence[Course]) -> list[Table]:
    """Return the table of the last campaign's workers; none: the ledger does not have them."""
    workers = courses[-1].workers if courses else {}
    speed = _worker_rates(courses)
    rows = [
        (
            str(at),
            f"{points[-1].execs:,}",
            f"{speed[at][-1][1]:,.0f}" if speed[at] else "-",
            f"{points[-1].features:,}",
        )
        for at, points in workers.items()
    ]
    heads = ("worker", "executions", "executions/s", "features")
    return [Table("Workers of the last campaign", heads, rows)] if rows else []


def _with_begin(courses: Sequence[Course]) -> Iterator[tuple[float, Course]]:
    """Yield each course after the seconds that those before it took."""
    before = 0.0
    for one in courses:
        yield before, one
        before += one.points[-1].seconds if one.points else 0.0


def _one_after_the_other(courses: Sequence[Course]) -> Iterator[tuple[float, float]]:
    for before, course in _with_begin(courses):
        for one in course.points:
            yield before + one.seconds, float(one.features)


def _worker_rates(courses: Sequence[Course]) -> dict[int, list[tuple[float, float]]]:
    workers = courses[-1].workers if courses else {}
    return {
        at: rates([(one.seconds, one.execs) for one in points]) for at, points in workers.items()
    }
