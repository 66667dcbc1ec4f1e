"""Reading a ledger: the campaigns of an output folder, and the findings they saw.

`ledger` writes it. Here it is opened read-only, so that a running campaign is not disturbed.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from vblkfuzz.errors import InputFileError
from vblkfuzz.scenario.former_names import current_name
from vblkfuzz.store.shadow import shadow
from vblkfuzz.store.sightings import Sightings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


LEDGER: Final = "campaign.sqlite"
_SETUP: Final = ("started", "target", "device", "mode", "workers", "seed")
_FIGURES: Final = ("seconds", "execs", "features", "violations", "harness_errors")


@dataclass(frozen=True, slots=True)
class CampaignRecord:
    """One campaign, with its figures at the last entry of the ledger."""

    started: str
    """Start time, ISO 8601, UTC."""
    target: str
    device: str
    mode: str
    workers: int
    seed: int
    seconds: float
    execs: int
    features: int
    violations: int
    """Executions with a violation."""
    harness_errors: int
    met: tuple[str, ...]
    """Names of the situations that were met, sorted."""
    findings: tuple[str, ...] = ()
    """Signatures that it saw, in the order of their first sighting."""
    expected: tuple[str, ...] = ()
    """Names of the situations that can be met on the target; empty: not recorded."""
    ended: str | None = ""
    """End time, ISO 8601, UTC; None: not ended, or killed; empty: by a version that did not say."""
    status: int | None = None
    """Exit status, if it has ended."""
    iothread: bool | None = None
    """Whether all inputs ran with an IOThread; None: each said so itself, or not recorded."""
    without: tuple[str, ...] = ()
    """Names of operations that were left out of all inputs."""

    @property
    def execs_per_s(self) -> float:
        """Executions per second of all workers together."""
        return self.execs / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class History:
    """The contents of a ledger."""

    campaigns: tuple[CampaignRecord, ...]
    """In the order of their start."""
    sightings: dict[str, Sightings]
    """By signature, over all campaigns."""

    @property
    def shadow(self) -> str:
        """What is said of a crash that hides other bugs; empty if there is none."""
        seen = {name: one.count for name, one in self.sightings.items()}
        return shadow(seen, sum(one.execs for one in self.campaigns))


def read_history(path: Path) -> History:
    """Read a ``campaign.sqlite``.

    Raises:
        InputFileError: there is no such file, or it is no ledger.
    """
    if not path.is_file():
        raise InputFileError(str(path), "", "expected the ledger of a campaign, found no file")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            db.row_factory = sqlite3.Row
            return History(tuple(_campaigns(db)), _sightings(db))
    except sqlite3.Error as error:
        raise InputFileError(str(path), "", f"expected the ledger of a campaign: {error}") from None


def _campaigns(db: sqlite3.Connection) -> Iterator[CampaignRecord]:
    for row in db.execute("SELECT * FROM campaign ORDER BY id").fetchall():
        campaign = row["id"]
        last = db.execute(
            "SELECT * FROM progress WHERE campaign = ? ORDER BY seconds DESC LIMIT 1", (campaign,)
        ).fetchone()
        met = db.execute("SELECT name FROM situation WHERE campaign = ?", (campaign,))
        figures: dict[str, Any] = {key: last[key] if last else 0 for key in _FIGURES}
        setup: dict[str, Any] = {key: row[key] for key in _SETUP}
        setup["device"] = current_name(setup["device"])
        ended, status = _ending(db, campaign)
        iothread, without = _changes(db, campaign)
        yield CampaignRecord(
            **setup,
            **figures,
            met=tuple(sorted({name for (name,) in met})),
            findings=_found(db, campaign),
            expected=_expected(db, campaign),
            ended=ended,
            status=status,
            iothread=iothread,
            without=without,
        )


def _found(db: sqlite3.Connection, campaign: int) -> tuple[str, ...]:
    rows = db.execute(
        "SELECT signature FROM finding WHERE campaign = ? ORDER BY first_s", (campaign,)
    )
    return tuple(name for (name,) in rows)


def _expected(db: sqlite3.Connection, campaign: int) -> tuple[str, ...]:
    if not _has_table(db, "expected"):
        return ()
    rows = db.execute("SELECT name FROM expected WHERE campaign = ?", (campaign,))
    return tuple(name for (name,) in rows)


def _changes(db: sqlite3.Connection, campaign: int) -> tuple[bool | None, tuple[str, ...]]:
    if not _has_table(db, "input_change"):
        return None, ()
    rows = db.execute("SELECT iothread, without FROM input_change WHERE campaign = ?", (campaign,))
    iothread, without = rows.fetchone() or (None, "[]")
    return None if iothread is None else bool(iothread), tuple(json.loads(without))


def _ending(db: sqlite3.Connection, campaign: int) -> tuple[str | None, int | None]:
    if not _has_table(db, "ending"):
        return "", None
    rows = db.execute("SELECT ended, status FROM ending WHERE campaign = ?", (campaign,))
    return tuple(rows.fetchone() or ("", None))


def _has_table(db: sqlite3.Connection, name: str) -> bool:
    """Whether the ledger has a table that older ones do not have."""
    return bool(db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (name,)).fetchone())


def _sightings(db: sqlite3.Connection) -> dict[str, Sightings]:
    first = db.execute(
        "SELECT signature, first_exec, first_s, started FROM finding JOIN campaign"
        " ON campaign.id = finding.campaign ORDER BY campaign.id, first_s"
    ).fetchall()
    counts = _counts(db)
    found: dict[str, Sightings] = {}
    for row in first:
        signature = row["signature"]
        if signature not in found:
            known = (row["first_exec"], row["first_s"], row["started"])
            found[signature] = Sightings(counts.get(signature, 0), *known)
    return found


def _counts(db: sqlite3.Connection) -> dict[str, int]:
    """Return the number of executions per signature."""
    if not _has_table(db, "seen"):
        return {}
    rows = db.execute("SELECT signature, SUM(count) FROM seen GROUP BY signature")
    return dict(tuple(row) for row in rows)
