"""A ledger restored from the files of its folder: `vblkfuzz status --rebuild`.

Rows that can still be read are taken over. A finding without one gets a row, and if no campaign is
known that ran on what it was found on, a campaign gets one too: its logs and findings say when it
ran and on what. How much it ran, and how often a finding was seen, no file says.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.errors import HarnessError, InputFileError
from vblkfuzz.scenario.artifact import read_input
from vblkfuzz.scenario.former_names import current_name
from vblkfuzz.store.atomic import TEMPORARY
from vblkfuzz.store.finding_files import ARTIFACT
from vblkfuzz.store.finding_place import signature_of
from vblkfuzz.store.folder import claimed
from vblkfuzz.store.ledger_file import SIDE_FILES, free_name
from vblkfuzz.store.ledger_schema import VERSION, migrate, version_of
from vblkfuzz.store.saved_findings import finding_folders

if TYPE_CHECKING:
    from collections.abc import Iterator

_START: Final = re.compile(r"^--- (\S+) worker \d+ starts, seed (\d+)", re.MULTILINE)
_LOG_BYTES: Final = 1 << 16
"""Bytes of a log that are read: its first start is at its beginning."""


class Setup(NamedTuple):
    """What a campaign ran on; empty: no file says it."""

    target: str = ""
    device: str = ""
    mode: str = ""


@dataclass(slots=True)
class Rebuilt:
    """What has become of a ledger."""

    rows: int = 0
    """Rows that could still be read."""
    campaigns: int = 0
    """Campaigns that are known from files alone."""
    findings: list[str] = field(default_factory=list)
    """Those that are known from files alone."""
    unreadable: list[str] = field(default_factory=list)
    """Findings whose files do not say what they are."""
    kept: str = ""
    """Name of the old ledger now; empty: there was none."""
    problem: str = ""
    """Why not all of it could be read; empty: it could, or there was none."""


def rebuild(out: Path, ledger: Path) -> Rebuilt:
    """Restore the ledger of an output folder; the old one is kept under another name.

    Raises:
        InputFileError: a newer version wrote the ledger: this one would lose what it added.
        UsageError: a campaign uses the folder, or it cannot be written.
        HarnessError: the disk is full.
    """
    done, new = Rebuilt(), out / f"{TEMPORARY}ledger"
    with claimed(out, ()):
        try:
            _remove(new)
            with closing(sqlite3.connect(new, isolation_level=None)) as db:
                migrate(db)
                db.execute("BEGIN")
                if ledger.is_file():  # a pipe would be waited for
                    done.problem = _take_over(ledger, db)
                done.rows = _rows(db)
                _from_files(out, db, done)
                db.execute("COMMIT")
            _put(new, ledger, done)
        except (sqlite3.Error, OSError) as error:
            raise HarnessError(f"{ledger}: cannot be restored: {error}") from error
        finally:
            _remove(new)
    return done


def _remove(new: Path) -> None:
    for end in ("", *SIDE_FILES):
        Path(f"{new}{end}").unlink(missing_ok=True)


def _put(new: Path, ledger: Path, done: Rebuilt) -> None:
    """Let the new ledger have the place of the old one, which keeps the files beside it."""
    aside = free_name(ledger, "broken")
    for end in ("", *SIDE_FILES):
        with suppress(FileNotFoundError):
            Path(f"{ledger}{end}").rename(f"{aside}{end}")
            done.kept = done.kept or aside.name
    new.rename(ledger)


def _take_over(ledger: Path, db: sqlite3.Connection) -> str:
    """Copy the rows of an old ledger that can be read; return why some cannot."""
    problems: list[str] = []
    try:
        with closing(sqlite3.connect(f"{ledger.absolute().as_uri()}?mode=ro", uri=True)) as old:
            if version_of(old) > VERSION:
                problem = "a newer vblkfuzz wrote it: restore it with that"
                raise InputFileError(str(ledger), "", problem)
            problems = [_copy(table, old, db) for table in _tables(db)]
    except sqlite3.Error as error:
        problems.append(str(error))
    return next(filter(None, problems), "")


def _tables(db: sqlite3.Connection) -> list[str]:
    rows = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return [name for (name,) in rows.fetchall()]


def _copy(table: str, old: sqlite3.Connection, db: sqlite3.Connection) -> str:
    """Copy a table up to the first row that cannot be read; return why it cannot."""
    columns = ", ".join(row[1] for row in db.execute(f"PRAGMA table_info({table})").fetchall())
    places = ", ".join("?" for _ in columns.split(", "))
    try:
        if not old.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone():
            return ""
        for row in old.execute(f"SELECT {columns} FROM {table}"):
            db.execute(f"INSERT OR IGNORE INTO {table} VALUES ({places})", row)
    except sqlite3.Error as error:
        return f"{table}: {error}"
    return ""


def _rows(db: sqlite3.Connection) -> int:
    return sum(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in _tables(db))


def _from_files(out: Path, db: sqlite3.Connection, done: Rebuilt) -> None:
    """Add findings that have no row, and campaigns that must have been there."""
    known = {name for (name,) in db.execute("SELECT signature FROM finding").fetchall()}
    for folder in finding_folders(out):
        signature = signature_of(folder)
        if signature in known:
            continue
        try:
            artifact = read_input(folder / ARTIFACT)
        except InputFileError:
            done.unreadable.append(folder.name)
            continue
        expected = artifact.expectation
        setup = Setup(artifact.target, current_name(artifact.device), artifact.mode)
        campaign = _campaign_on(setup, out, db, done)
        rule = expected.rule if expected else ""
        values = (campaign, signature, rule, str(folder))
        db.execute("INSERT INTO finding VALUES (?, ?, ?, NULL, NULL, ?)", values)
        known.add(signature)
        done.findings.append(folder.name)
    if not db.execute("SELECT 1 FROM campaign").fetchone() and _was_used(out):
        _campaign_on(Setup(), out, db, done)


def _campaign_on(setup: Setup, out: Path, db: sqlite3.Connection, done: Rebuilt) -> int:
    """Return the number of the last campaign on a target and device; add it, if there is none."""
    rows = db.execute("SELECT id, target, device, mode FROM campaign ORDER BY id DESC").fetchall()
    for number, target, device, mode in rows:
        if (target, current_name(str(device)), mode) == setup:
            return int(number)
    started, seed = _first_start(out)
    workers = len(list((out / "log").glob("worker-*.log"))) or None
    cursor = db.execute(
        "INSERT INTO campaign (started, target, device, mode, workers, seed)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (started, *setup, workers, seed),
    )
    campaign = cursor.lastrowid or 0
    db.execute("INSERT INTO restored VALUES (?)", (campaign,))
    done.campaigns += 1
    return campaign


def _first_start(out: Path) -> tuple[str, int | None]:
    """Return when a worker started first, and its seed; else the time of the oldest file."""
    starts = sorted(found for log in (out / "log").glob("worker-*.log") for found in _starts(log))
    for time, seed in starts:
        with suppress(ValueError):
            return datetime.fromisoformat(time).isoformat(timespec="seconds"), int(seed)
    times = [path.stat().st_mtime for path in (*finding_folders(out), out)]
    return datetime.fromtimestamp(min(times), UTC).isoformat(timespec="seconds"), None


def _starts(log: Path) -> Iterator[tuple[str, str]]:
    with suppress(OSError), log.open("rb") as file:
        text = file.read(_LOG_BYTES).decode(errors="replace")
        yield from ((found[1], found[2]) for found in _START.finditer(text))


def _was_used(out: Path) -> bool:
    """Whether a campaign has run here: there are inputs, or a log of a worker."""
    inputs = (path for path in (out / "corpus").glob("*") if not path.name.startswith("."))
    return any(inputs) or any((out / "log").glob("worker-*.log"))
