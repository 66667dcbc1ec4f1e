"""The course of a campaign: few points, the last ones, and nothing that was not recorded."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from itertools import pairwise
from pathlib import Path

from tests.store.test_history import ledger_of_two
from vblkfuzz.store.course import Point, WorkerPoint, read_courses
from vblkfuzz.store.ledger import Ledger
from vblkfuzz.store.summary import Finding

STARTED = "2026-01-01T00:00:00+00:00"


def long_ledger(path: Path, entries: int, workers: int = 2) -> None:
    """Write a ledger with one campaign, with an entry every five seconds."""
    ledger = Ledger(path)
    ledger.begin(STARTED, "patch-v4", "inline", workers, 1)
    ledger.close()
    rows = [(1, 5.0 * at, 100 * at, at // 7, at // 9, 0) for at in range(entries)]
    with closing(sqlite3.connect(path)) as db, db:
        db.executemany("INSERT INTO progress VALUES (?, ?, ?, ?, ?, ?)", rows)
        db.executemany(
            "INSERT INTO worker VALUES (?, ?, ?, ?, ?)",
            [(1, worker, *row[1:4]) for row in rows for worker in range(workers)],
        )


def test_two_campaigns(tmp_path: Path) -> None:
    path = tmp_path / "campaign.sqlite"
    ledger_of_two(path)
    first, second = read_courses(path)
    assert first.points == (Point(1.0, 10, 5, 1, 0, 1), Point(2.0, 30, 6, 4, 1, 1))
    assert (second.workers, second.first_met) == ({}, {"kick_in_drain": 0.5})


def test_a_long_campaign_has_few_points_and_its_last_one(tmp_path: Path) -> None:
    path = tmp_path / "campaign.sqlite"
    long_ledger(path, 1000)
    (course,) = read_courses(path, 50)
    assert len(course.points) <= 50
    assert course.points[-1] == Point(4995.0, 99900, 142, 111, 0, 0)
    assert [len(one) <= 50 for one in course.workers.values()] == [True, True]
    assert course.workers[1][-1] == WorkerPoint(4995.0, 99900, 142)
    assert all(one.seconds < other.seconds for one, other in pairwise(course.points))
    assert all(one.execs == 20 * one.seconds for one in course.points)
    (whole,) = read_courses(path, 0)
    assert len(whole.points) == 1000


def test_findings_are_counted_when_they_were_seen(tmp_path: Path) -> None:
    path = tmp_path / "campaign.sqlite"
    ledger = Ledger(path)
    ledger.begin(STARTED, "patch-v4", "inline", 1, 1)
    for seconds in (1, 2, 3):
        ledger.progress(seconds, 10 * seconds, 5, (0, 0))
        ledger.worker(0, seconds, 10 * seconds, 5)
    ledger.finding(Finding("s1-x", "S1", 15, 1.5, ""))
    ledger.close()
    (course,) = read_courses(path)
    assert [one.findings for one in course.points] == [0, 1, 1]
    assert course.workers == {0: tuple(WorkerPoint(float(n), 10 * n, 5) for n in (1, 2, 3))}


def test_a_ledger_of_an_earlier_version(tmp_path: Path) -> None:
    path = tmp_path / "campaign.sqlite"
    ledger_of_two(path)
    with closing(sqlite3.connect(path)) as db:
        db.executescript("DROP TABLE worker; PRAGMA user_version = 3")
    assert read_courses(path)[0].workers == {}
