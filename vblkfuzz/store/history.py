"""Reading a ledger: the campaigns of an output folder, and the findings they saw.

`ledger` writes it. Here it is opened read-only, so that a running campaign is not disturbed.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from vblkfuzz.errors import InputFileError
from vblkfuzz.scenario.former_names import current_name
from vblkfuzz.store.canary import Canary, together
from vblkfuzz.store.ledger_file import advice
from vblkfuzz.store.ledger_reader import PATIENCE_S, has_table, reading
from vblkfuzz.store.reach import NOTHING, Reach
from vblkfuzz.store.shadow import shadow
from vblkfuzz.store.sightings import Sightings
from vblkfuzz.store.tried import Bound, Bounds
from vblkfuzz.store.tried import together as all_tried
from vblkfuzz.store.unseen import NOTHING_NOTED, Unseen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


LEDGER: Final = "campaign.sqlite"
_COUNTS: Final = ("execs", "features", "violations", "harness_errors")


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
    reach: Reach = NOTHING
    """What it reached of the device's own code."""
    ended: str | None = ""
    """End time, ISO 8601, UTC; None: not ended, or killed; empty: by a version that did not say."""
    status: int | None = None
    """Exit status, if it has ended."""
    iothread: bool | None = None
    """Whether all inputs ran with an IOThread; None: each said so itself, or not recorded."""
    without: tuple[str, ...] = ()
    """Names of operations that were left out of all inputs."""
    new: tuple[str, ...] = ()
    """Those of the findings that no earlier campaign of the folder saw, and that were not in it."""
    canaries: tuple[Canary, ...] = ()
    """Planted defects, the easiest first."""
    unseen: Unseen = NOTHING_NOTED
    """How often features were seen, by the campaigns before it with the same code as well."""
    tried: Bounds = field(default_factory=dict)
    """What runs of PCT are worth, by depth."""
    restored: bool = False
    """Known from the files of the folder alone (`rebuild`): 0 and empty mean not known."""

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
    def execs(self) -> int:
        """Executions of all campaigns together."""
        return sum(one.execs for one in self.campaigns)

    @property
    def seconds(self) -> float:
        """Seconds that all campaigns ran together."""
        return sum(one.seconds for one in self.campaigns)

    @property
    def canaries(self) -> list[Canary]:
        """The planted defects of all campaigns together."""
        return together([(one.execs, one.canaries) for one in self.campaigns])

    @property
    def tried(self) -> Bounds:
        """What runs of PCT of all campaigns are worth, by depth."""
        return all_tried(one.tried for one in self.campaigns)

    @property
    def unseen(self) -> Unseen:
        """The counts of the last campaign that has some; they include earlier ones."""
        noted = [one.unseen for one in self.campaigns if one.unseen.executions]
        return noted[-1] if noted else NOTHING_NOTED

    @property
    def shadow(self) -> str:
        """What is said of a crash that hides other bugs; empty if there is none."""
        seen = {name: one.count for name, one in self.sightings.items()}
        return shadow(seen, self.execs)


def read_history(path: Path, patience_s: float = PATIENCE_S) -> History:
    """Read a ``campaign.sqlite``, which others may lock for `patience_s`.

    Raises:
        InputFileError: there is no such file, it is damaged or locked, or no ledger that this
            version knows.
    """
    try:
        with reading(path, patience_s) as db:
            db.row_factory = sqlite3.Row
            campaigns = tuple(_campaigns(db))
            return History(campaigns, _sightings(db))
    except (TypeError, ValueError, AttributeError):  # values that no version writes
        problem = f"expected the ledger of a campaign, found other values; {advice(path)}"
        raise InputFileError(str(path), "", problem) from None


def _campaigns(db: sqlite3.Connection) -> Iterator[CampaignRecord]:
    before: set[str] = set()
    for row in db.execute("SELECT * FROM campaign ORDER BY id").fetchall():
        campaign, findings = row["id"], _found(db, row["id"])
        ended, status = _ending(db, campaign)
        iothread, without = _changes(db, campaign)
        before.update(_not_new(db, campaign))
        yield CampaignRecord(
            **_setup(row),
            **_figures(db, campaign),
            met=_met(db, campaign),
            findings=findings,
            expected=_expected(db, campaign),
            reach=_reach(db, campaign),
            ended=ended,
            status=status,
            iothread=iothread,
            without=without,
            new=tuple(name for name in dict.fromkeys(findings) if name not in before),
            canaries=_canaries(db, campaign),
            unseen=_unseen(db, campaign),
            tried=_tried(db, campaign),
            restored=_is_restored(db, campaign),
        )
        before.update(findings)


def _setup(row: sqlite3.Row) -> dict[str, Any]:
    words = {key: str(row[key] or "") for key in ("started", "target", "device", "mode")}
    datetime.fromisoformat(words["started"])  # others compute with it
    words["device"] = current_name(words["device"])
    return words | {key: int(row[key] or 0) for key in ("workers", "seed")}


def _figures(db: sqlite3.Connection, campaign: int) -> dict[str, Any]:
    query = "SELECT * FROM progress WHERE campaign = ? ORDER BY seconds DESC, execs DESC LIMIT 1"
    last = db.execute(query, (campaign,)).fetchone()
    counts = {key: int(last[key] if last else 0) for key in _COUNTS}
    return counts | {"seconds": float(last["seconds"] if last else 0.0)}


def _met(db: sqlite3.Connection, campaign: int) -> tuple[str, ...]:
    rows = db.execute("SELECT name FROM situation WHERE campaign = ?", (campaign,))
    return tuple(sorted({name for (name,) in rows}))


def _is_restored(db: sqlite3.Connection, campaign: int) -> bool:
    if not has_table(db, "restored"):
        return False
    query = "SELECT 1 FROM restored WHERE campaign = ?"
    return bool(db.execute(query, (campaign,)).fetchone())


def _found(db: sqlite3.Connection, campaign: int) -> tuple[str, ...]:
    rows = db.execute(
        "SELECT signature FROM finding WHERE campaign = ? ORDER BY first_s", (campaign,)
    )
    return tuple(name for (name,) in rows)


def _not_new(db: sqlite3.Connection, campaign: int) -> set[str]:
    if not has_table(db, "not_new"):
        return set()
    rows = db.execute("SELECT signature FROM not_new WHERE campaign = ?", (campaign,))
    return {name for (name,) in rows}


def _expected(db: sqlite3.Connection, campaign: int) -> tuple[str, ...]:
    if not has_table(db, "expected"):
        return ()
    rows = db.execute("SELECT name FROM expected WHERE campaign = ?", (campaign,))
    return tuple(name for (name,) in rows)


def _changes(db: sqlite3.Connection, campaign: int) -> tuple[bool | None, tuple[str, ...]]:
    if not has_table(db, "input_change"):
        return None, ()
    rows = db.execute("SELECT iothread, without FROM input_change WHERE campaign = ?", (campaign,))
    iothread, without = rows.fetchone() or (None, "[]")
    return None if iothread is None else bool(iothread), tuple(json.loads(without))


def _reach(db: sqlite3.Connection, campaign: int) -> Reach:
    if not has_table(db, "reach"):
        return NOTHING
    query = "SELECT kind, reached, reachable FROM reach WHERE campaign = ?"
    return Reach(*(db.execute(query, (campaign,)).fetchone() or ()))


def _canaries(db: sqlite3.Connection, campaign: int) -> tuple[Canary, ...]:
    if not has_table(db, "canary"):
        return ()
    query = (
        "SELECT defect, tries, first_exec, first_s FROM canary WHERE campaign = ? ORDER BY rowid"
    )
    return tuple(Canary(*row) for row in db.execute(query, (campaign,)))


def _unseen(db: sqlite3.Connection, campaign: int) -> Unseen:
    if not has_table(db, "unseen"):
        return NOTHING_NOTED
    query = "SELECT execs, features, once, twice FROM unseen WHERE campaign = ?"
    return Unseen(*(db.execute(query, (campaign,)).fetchone() or ()))


def _tried(db: sqlite3.Connection, campaign: int) -> Bounds:
    if not has_table(db, "tried"):
        return {}
    columns = "depth, stories, runs, best, mean"
    rows = db.execute(f"SELECT {columns} FROM tried WHERE campaign = ? ORDER BY depth", (campaign,))
    return {depth: Bound(*bound) for depth, *bound in rows}


def _ending(db: sqlite3.Connection, campaign: int) -> tuple[str | None, int | None]:
    if not has_table(db, "ending"):
        return "", None
    rows = db.execute("SELECT ended, status FROM ending WHERE campaign = ?", (campaign,))
    return tuple(rows.fetchone() or ("", None))


def _sightings(db: sqlite3.Connection) -> dict[str, Sightings]:
    first = db.execute(
        "SELECT campaign, signature, first_exec, first_s, started FROM finding JOIN campaign"
        " ON campaign.id = finding.campaign ORDER BY campaign.id, first_s"
    ).fetchall()
    counts, earlier = _counts(db), _earlier(db)
    found: dict[str, Sightings] = {}
    for row in first:
        signature = row["signature"]
        if signature not in found:
            when = int(row["first_exec"] or 0), float(row["first_s"] or 0), str(row["started"])
            count = counts.get(signature, 0)
            found[signature] = Sightings(count, *when, *earlier[row["campaign"]])
    return found


def _earlier(db: sqlite3.Connection) -> dict[int, tuple[int, float]]:
    """Return the executions of the campaigns before each one, and the seconds that they ran."""
    earlier, execs, seconds = {}, 0, 0.0
    for (campaign,) in db.execute("SELECT id FROM campaign ORDER BY id").fetchall():
        earlier[campaign] = (execs, round(seconds, 1))
        figures = _figures(db, campaign)
        execs, seconds = execs + figures["execs"], seconds + figures["seconds"]
    return earlier


def _counts(db: sqlite3.Connection) -> dict[str, int]:
    """Return the number of executions per signature."""
    if not has_table(db, "seen"):
        return {}
    rows = db.execute("SELECT signature, SUM(count) FROM seen GROUP BY signature")
    return dict(tuple(row) for row in rows)
