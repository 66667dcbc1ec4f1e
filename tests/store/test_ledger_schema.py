"""Ledgers of older versions are read, and continued; so a released schema is never changed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from vblkfuzz.store.history import read_history
from vblkfuzz.store.ledger import Ledger
from vblkfuzz.store.ledger_schema import APPLICATION, VERSION

FIRST = """
CREATE TABLE campaign (
    id INTEGER PRIMARY KEY, started TEXT, target TEXT, device TEXT, mode TEXT,
    workers INTEGER, seed INTEGER
);
CREATE TABLE progress (
    campaign INTEGER, seconds REAL, execs INTEGER, features INTEGER, violations INTEGER,
    harness_errors INTEGER
);
CREATE TABLE finding (
    campaign INTEGER, signature TEXT, rule TEXT, first_exec INTEGER, first_s REAL, path TEXT
);
CREATE TABLE situation (campaign INTEGER, name TEXT, seconds REAL);
INSERT INTO campaign VALUES (1, '2025-01-01T00:00:00+00:00', 'model', 'patch-v4', 'inline', 2, 9);
INSERT INTO progress VALUES (1, 10.0, 100, 7, 3, 0);
INSERT INTO finding VALUES (1, 's1-x', 'S1', 42, 1.5, 'out/findings/s1-x');
INSERT INTO situation VALUES (1, 'kick_in_drain', 0.5);
"""
"""A ledger of the first version."""
ZERO = """
CREATE TABLE seen (
    campaign INTEGER, signature TEXT, count INTEGER, PRIMARY KEY (campaign, signature)
);
CREATE TABLE expected (campaign INTEGER, name TEXT);
CREATE TABLE input_change (campaign INTEGER PRIMARY KEY, iothread INTEGER, without TEXT);
CREATE TABLE reach (
    campaign INTEGER PRIMARY KEY, kind TEXT, reached INTEGER, reachable INTEGER
);
CREATE TABLE ending (campaign INTEGER PRIMARY KEY, ended TEXT, status INTEGER);
INSERT INTO seen VALUES (1, 's1-x', 3);
INSERT INTO ending VALUES (1, '2025-01-01T00:00:10+00:00', 77);
"""
"""What the last version added that did not record the version of its schema."""


@pytest.mark.parametrize(
    ("schema", "count", "status"), [(FIRST, 0, None), (FIRST + ZERO, 3, 77)], ids=["first", "zero"]
)
def test_an_old_ledger_is_read_and_continued(
    tmp_path: Path, schema: str, count: int, status: int | None
) -> None:
    path = tmp_path / "campaign.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(schema)
    before = read_history(path)
    (old,) = before.campaigns
    assert (old.execs, old.findings, old.met) == (100, ("s1-x",), ("kick_in_drain",))
    assert (old.status, before.sightings["s1-x"].count) == (status, count)
    ledger = Ledger(path)
    ledger.begin("2026-01-01T00:00:00+00:00", "patch-v4", "inline", 2, 10)
    ledger.seen("s1-x", 1)
    ledger.end("2026-01-01T00:00:09+00:00", 0)
    ledger.close()
    after = read_history(path)
    assert (after.campaigns[0], len(after.campaigns)) == (old, 2)
    assert after.sightings["s1-x"].count == count + 1
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (VERSION,)
        assert database.execute("PRAGMA application_id").fetchone() == (APPLICATION,)
