"""The ledger: ``campaign.sqlite``, the record of the campaigns in an output folder."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any

from vblkfuzz.errors import HarnessError
from vblkfuzz.scenario.artifact import DEFAULT_TARGET

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from vblkfuzz.store.summary import Finding

_SCHEMA = """
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
CREATE TABLE IF NOT EXISTS ending (campaign INTEGER PRIMARY KEY, ended TEXT, status INTEGER);
"""


class Ledger:
    """Appends rows to the ledger; each campaign in the same folder appends its own.

    If a row cannot be written, for example because the disk is full, the campaign continues and
    `problem` is set.

    Raises:
        HarnessError: the file exists and is no ledger, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        # Autocommit: each statement is a transaction of its own, so a crash loses no earlier row.
        try:
            self._db = sqlite3.connect(path, isolation_level=None)
            self._db.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise HarnessError(f"{path}: cannot be used: {error}") from error
        self._campaign = 0
        self.problem = ""
        """Why rows are missing; empty if none is."""

    def _insert(self, statement: str, *values: Any) -> int:  # noqa: ANN401 - what SQLite takes
        try:
            return self._db.execute(statement, values).lastrowid or 0
        except sqlite3.Error as error:
            self.problem = f"campaign.sqlite is not complete: {error}"
            return 0

    def begin(
        self,
        started: str,
        device: str,
        mode: str,
        workers: int,
        seed: int,
        target: str = DEFAULT_TARGET,
    ) -> None:
        """Record the start of a campaign (ISO 8601, UTC); all following rows belong to it.

        Its ending is empty until `end`. It stays so if the process is killed.
        """
        self._campaign = self._insert(
            "INSERT INTO campaign (started, target, device, mode, workers, seed)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            started,
            target,
            device,
            mode,
            workers,
            seed,
        )
        self._insert("INSERT INTO ending VALUES (?, NULL, NULL)", self._campaign)

    def changes(self, iothread: bool | None, without: Iterable[str]) -> None:
        """Record what the campaign changes in each input before it runs it.

        Args:
            iothread: whether all run with an IOThread; None: each says so itself.
            without: names of operations that are left out.
        """
        names = json.dumps(list(without))
        self._insert("INSERT INTO input_change VALUES (?, ?, ?)", self._campaign, iothread, names)

    def expect(self, situations: Iterable[str]) -> None:
        """Record the names of the situations that can be met on the target."""
        names = json.dumps(list(situations))
        self._insert(
            "INSERT INTO expected SELECT ?, value FROM json_each(?)", self._campaign, names
        )

    def end(self, ended: str, status: int) -> None:
        """Record the end of the campaign (ISO 8601, UTC) and its exit status."""
        self._insert(
            "UPDATE ending SET ended = ?, status = ? WHERE campaign = ?",
            ended,
            status,
            self._campaign,
        )

    def progress(self, seconds: float, execs: int, features: int, other: tuple[int, int]) -> None:
        """Record the progress; `other`: executions with a violation, harness errors."""
        self._insert(
            "INSERT INTO progress VALUES (?, ?, ?, ?, ?, ?)",
            self._campaign,
            round(seconds, 1),
            execs,
            features,
            *other,
        )

    def finding(self, finding: Finding) -> None:
        """Record the first finding with a signature."""
        self._insert(
            "INSERT INTO finding VALUES (?, ?, ?, ?, ?, ?)",
            self._campaign,
            finding.signature,
            finding.rule,
            finding.first_exec,
            finding.first_s,
            finding.path,
        )

    def seen(self, signature: str, count: int) -> None:
        """Add `count` executions that showed a signature."""
        self._insert(
            "INSERT INTO seen VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET count = count + excluded.count",
            self._campaign,
            signature,
            count,
        )

    def situation(self, name: str, seconds: float) -> None:
        """Record that a situation was met for the first time, after `seconds`."""
        self._insert(
            "INSERT INTO situation VALUES (?, ?, ?)", self._campaign, name, round(seconds, 1)
        )

    def close(self) -> None:
        """Close the database."""
        self._db.close()
