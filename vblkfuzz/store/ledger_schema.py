"""The tables of a ledger, and how a ledger of an older version becomes one of today.

The version is SQLite's ``user_version``. Ledgers of before it have 0 and some of the tables.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import InputFileError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

APPLICATION: Final = 0x76626C6B
"""SQLite's ``application_id`` of a ledger: "vblk". Ledgers of schema 0 have none."""
_OURS: Final = {"id", "started", "target", "device", "mode", "workers", "seed"}
"""Columns that the table of campaigns has in each version."""
_TABLES_1: Final = """
CREATE TABLE IF NOT EXISTS campaign (
    id INTEGER PRIMARY KEY, started TEXT, target TEXT, device TEXT, mode TEXT,
    workers INTEGER, seed INTEGER
);
CREATE TABLE IF NOT EXISTS progress (
    campaign INTEGER, seconds REAL, execs INTEGER, features INTEGER, violations INTEGER,
    harness_errors INTEGER
);
CREATE TABLE IF NOT EXISTS finding (
    campaign INTEGER, signature TEXT, rule TEXT, first_exec INTEGER, first_s REAL, path TEXT
);
CREATE TABLE IF NOT EXISTS seen (
    campaign INTEGER, signature TEXT, count INTEGER, PRIMARY KEY (campaign, signature)
);
CREATE TABLE IF NOT EXISTS situation (campaign INTEGER, name TEXT, seconds REAL);
CREATE TABLE IF NOT EXISTS expected (campaign INTEGER, name TEXT);
CREATE TABLE IF NOT EXISTS input_change (
    campaign INTEGER PRIMARY KEY, iothread INTEGER, without TEXT
);
CREATE TABLE IF NOT EXISTS reach (
    campaign INTEGER PRIMARY KEY, kind TEXT, reached INTEGER, reachable INTEGER
);
CREATE TABLE IF NOT EXISTS ending (campaign INTEGER PRIMARY KEY, ended TEXT, status INTEGER);
"""
_TABLES_2: Final = """
CREATE TABLE IF NOT EXISTS restored (campaign INTEGER PRIMARY KEY);
CREATE INDEX IF NOT EXISTS progress_of_campaign ON progress (campaign, seconds);
"""
_TABLES_3: Final = """
CREATE TABLE IF NOT EXISTS not_new (campaign INTEGER, signature TEXT);
CREATE TABLE IF NOT EXISTS canary (
    campaign INTEGER, defect TEXT, tries INTEGER, first_exec INTEGER, first_s REAL,
    PRIMARY KEY (campaign, defect)
);
CREATE TABLE IF NOT EXISTS unseen (
    campaign INTEGER PRIMARY KEY, execs INTEGER, features INTEGER, once INTEGER, twice INTEGER
);
CREATE TABLE IF NOT EXISTS tried (
    campaign INTEGER, depth INTEGER, stories INTEGER, runs INTEGER, best REAL, mean REAL,
    PRIMARY KEY (campaign, depth)
);
"""
_TABLES_4: Final = """
CREATE TABLE IF NOT EXISTS worker (
    campaign INTEGER, worker INTEGER, seconds REAL, execs INTEGER, features INTEGER
);
CREATE INDEX IF NOT EXISTS worker_of_campaign ON worker (campaign, worker, seconds);
"""


def _to_1(db: sqlite3.Connection) -> None:
    """Add the tables that came one by one, while the version was not recorded."""
    _run(db, _TABLES_1)


def _to_2(db: sqlite3.Connection) -> None:
    """Say whose file it is, and which campaigns are known from files alone (`rebuild`)."""
    _run(db, _TABLES_2)
    db.execute(f"PRAGMA application_id = {APPLICATION}")


def _to_3(db: sqlite3.Connection) -> None:
    """Say what a clean result is worth, and which findings were in the folder before a campaign."""
    _run(db, _TABLES_3)


def _to_4(db: sqlite3.Connection) -> None:
    """Say what each worker did."""
    _run(db, _TABLES_4)


_MIGRATIONS: Final[tuple[Callable[[sqlite3.Connection], None], ...]] = (_to_1, _to_2, _to_3, _to_4)
"""Each makes the next version out of that of its place. What has been released is never changed."""
VERSION: Final = len(_MIGRATIONS)


def migrate(db: sqlite3.Connection) -> None:
    """Make the schema that of today, in one transaction; `check` the ledger before.

    Raises:
        sqlite3.Error: the ledger cannot be written.
    """
    db.execute("BEGIN IMMEDIATE")
    try:
        for version in range(version_of(db), VERSION):
            _MIGRATIONS[version](db)
            db.execute(f"PRAGMA user_version = {version + 1}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def check(db: sqlite3.Connection, path: Path) -> None:
    """Check that a database is a ledger that this version knows, or empty.

    Raises:
        InputFileError: a newer version wrote it, or another program.
        sqlite3.Error: it cannot be read.
    """
    tables = db.execute("SELECT name FROM sqlite_master").fetchall()
    columns = {row[1] for row in db.execute("PRAGMA table_info(campaign)")}
    marked = _number(db, "application_id")
    if marked not in (0, APPLICATION) or (tables and not columns >= _OURS):
        raise InputFileError(
            str(path), "", "expected the ledger of a campaign, found that of another program"
        )
    if (version := version_of(db)) > VERSION:
        raise InputFileError(
            str(path),
            "",
            f"expected a ledger of schema {VERSION} or older, found schema {version}: "
            "a newer vblkfuzz wrote it; use that, or another folder",
        )


def version_of(db: sqlite3.Connection) -> int:
    """Return the version of a ledger's schema.

    Raises:
        sqlite3.Error: it cannot be read.
    """
    return _number(db, "user_version")


def _number(db: sqlite3.Connection, pragma: str) -> int:
    (number,) = db.execute(f"PRAGMA {pragma}").fetchone()
    return int(number)


def _run(db: sqlite3.Connection, statements: str) -> None:
    """Run statements in the open transaction, which `executescript` would commit."""
    for statement in statements.split(";"):
        if statement.strip():
            db.execute(statement)
