"""The course of a campaign: its figures over time, as the ledger has them.

A ledger has an entry every few seconds, so a campaign of a week has 100,000 of them. A course has a
few hundred: the last one of each of so many equal parts of the time.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vblkfuzz.store.ledger_reader import PATIENCE_S, has_table, reading

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

POINTS: Final = 240
"""Most points of a course."""
_PART: Final = "CAST(seconds * ? / ? AS INTEGER)"


class Point(NamedTuple):
    """The figures of a campaign at one moment."""

    seconds: float
    """Since its start."""
    execs: int
    features: int
    violations: int
    """Executions with a violation."""
    harness_errors: int
    findings: int
    """Signatures that it had seen."""


class WorkerPoint(NamedTuple):
    """The figures of a worker at one moment."""

    seconds: float
    """Since the start of the campaign."""
    execs: int
    features: int


@dataclass(frozen=True, slots=True)
class Course:
    """The course of one campaign."""

    points: tuple[Point, ...]
    workers: dict[int, tuple[WorkerPoint, ...]]
    """By index; empty: an earlier version wrote the ledger."""
    first_met: dict[str, float]
    """Seconds until each situation was met for the first time, by name."""


def read_courses(path: Path, most: int = POINTS, patience_s: float = PATIENCE_S) -> list[Course]:
    """Return the courses of the campaigns of a ledger, in the order of their start.

    Args:
        path: the ledger.
        most: points of each; 0: all that there are.
        patience_s: seconds for which others may lock it.

    Raises:
        InputFileError: as `history.read_history`.
    """
    with reading(path, patience_s) as db:
        campaigns = db.execute("SELECT id FROM campaign ORDER BY id").fetchall()
        return [_course(db, one, most) for (one,) in campaigns]


def _course(db: sqlite3.Connection, campaign: int, most: int) -> Course:
    first = db.execute(
        "SELECT signature, min(first_s) FROM finding WHERE campaign = ? GROUP BY signature",
        (campaign,),
    )
    found = sorted(float(seconds or 0) for _, seconds in first)
    columns = ("execs", "features", "violations", "harness_errors")
    rows = _thinned(db, campaign, most, "progress", columns)
    points = [Point._make((*row, bisect_right(found, row[0]))) for row in rows]
    met = "SELECT name, min(seconds) FROM situation WHERE campaign = ? GROUP BY name"
    first_met = {name: float(at or 0) for name, at in db.execute(met, (campaign,))}
    return Course(tuple(points), _workers(db, campaign, most), first_met)


def _workers(
    db: sqlite3.Connection, campaign: int, most: int
) -> dict[int, tuple[WorkerPoint, ...]]:
    if not has_table(db, "worker"):
        return {}
    rows = _thinned(db, campaign, most, "worker", ("execs", "features", "worker"), "worker, ")
    groups = groupby(rows, lambda row: int(row[-1]))
    return {index: tuple(WorkerPoint(*row[:-1]) for row in group) for index, group in groups}


def _thinned(  # parts of one query
    db: sqlite3.Connection,
    campaign: int,
    most: int,
    table: str,
    columns: Sequence[str],
    first: str = "",
) -> list[tuple[Any, ...]]:
    """Return seconds and columns of a campaign's rows, the last row of each part of its time.

    Args:
        db: the ledger.
        campaign: the campaign.
        most: parts; 0: all rows.
        table: where from.
        columns: which, beside the seconds.
        first: what rows are parted by before time, with a comma; empty: nothing.
    """
    (end,) = db.execute(f"SELECT max(seconds) FROM {table} WHERE campaign = ?", (campaign,))
    # SQLite takes the other columns from the row that has the maximum.
    query = (
        f"SELECT max(seconds) AS seconds, {', '.join(columns)} FROM {table} WHERE campaign = ?"
        f" GROUP BY {first}{_PART if most else 'rowid'} ORDER BY {first}max(seconds), rowid"
    )
    values = (campaign, most - 1, end[0] or 1.0) if most else (campaign,)
    return db.execute(query, values).fetchall()
