"""The ledger: ``campaign.sqlite``, the record of the campaigns in an output folder."""

from __future__ import annotations

import json
import sqlite3
import time
from dataclasses import astuple
from typing import TYPE_CHECKING, Any, Final

from vblkfuzz.counted import counted
from vblkfuzz.errors import HarnessError, VblkfuzzError
from vblkfuzz.scenario.artifact import DEFAULT_TARGET
from vblkfuzz.store.ballast import Ballast
from vblkfuzz.store.ledger_file import BALLAST, LedgerFile, said_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from vblkfuzz.store.canary import Canary
    from vblkfuzz.store.ledger_file import Row
    from vblkfuzz.store.reach import Reach
    from vblkfuzz.store.summary import Finding
    from vblkfuzz.store.tried import Bounds
    from vblkfuzz.store.unseen import Unseen

_RETRY_S: Final = 1.0
"""Seconds after a failure until rows are written again, so that a lock takes 4 % of the time."""
_MOST_PROGRESS: Final = 1000
"""Most rows of progress that wait; then every other one is left out."""
_BEGIN: Final = (
    "INSERT INTO campaign (id, started, target, device, mode, workers, seed)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_CORRECT: Final = (
    "WITH given (campaign, status) AS (VALUES (?, ?)) UPDATE ending "
    "SET status = (SELECT status FROM given) WHERE campaign = (SELECT campaign FROM given)"
)
"""Python 3.12 warns of ``?2``, with which the values could be in another order."""
_ENDING: Final = "INSERT OR REPLACE INTO ending VALUES (?, ?, ?)"
_PROGRESS: Final = "INSERT INTO progress VALUES (?, ?, ?, ?, ?, ?)"
_WORKER: Final = "INSERT INTO worker VALUES (?, ?, ?, ?, ?)"
_SEEN: Final = (
    "INSERT INTO seen VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count"
)
_SITUATION: Final = "INSERT INTO situation VALUES (?, ?, ?)"
_OFTEN: Final = frozenset((_SEEN, _SITUATION, _WORKER))
"""Rows of which many come at once: they are on the disk with the next of the others."""
_REACH: Final = "INSERT OR REPLACE INTO reach VALUES (?, ?, ?, ?)"
_FIRST: Final = (_BEGIN, _ENDING)
"""Rows that are written, with the last one of progress, if there is no room for all."""
_CANARY: Final = "INSERT OR REPLACE INTO canary VALUES (?, ?, ?, ?, ?)"
_UNSEEN: Final = "INSERT OR REPLACE INTO unseen VALUES (?, ?, ?, ?, ?)"
_TRIED: Final = "INSERT OR REPLACE INTO tried VALUES (?, ?, ?, ?, ?, ?)"


class Ledger:
    """Appends rows to the ledger; each campaign in the same folder appends its own.

    A row that cannot be written now, because others lock the ledger or the disk is full, waits in
    memory and is written later. Nothing here takes longer than about 50 ms, but for the start and
    the end. Of the rows of progress that wait, some may be left out; no others are.

    Raises:
        HarnessError: the file is damaged or locked, of a newer version or another program, or
            cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = LedgerFile(path)
        try:
            self._ballast = Ballast(path.with_name(path.name + BALLAST))
        except OSError as error:
            self._file.close()
            raise HarnessError(f"{path}: cannot be written: {error.strerror or error}") from None
        self._campaign = 0
        self._waiting: list[Row] = []
        self._retry_at = 0.0
        self._error = ""
        self._locked = False
        """Whether the last failure was a lock of others, which no room on the disk ends."""

    @property
    def problem(self) -> str:
        """Says how many rows are missing, and why; empty if none is."""
        if not self._waiting:
            return ""
        rows = counted(len(self._waiting), "row")
        return f"{self._path.name} is not complete, {rows} missing: {self._error}"

    @property
    def replaced(self) -> str:
        """Says that the file was deleted or replaced by others, and written anew; else empty."""
        return self._file.replaced

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
        # Given here, not by SQLite: the following rows need it, and this one may have to wait.
        self._campaign = max(self._campaign, self._file.campaigns) + 1
        self._note(_BEGIN, started, target, device, mode, workers, seed)
        self._note(_ENDING, None, None)

    def changes(self, iothread: bool | None, without: Iterable[str]) -> None:
        """Record what the campaign changes in each input before it runs it.

        Args:
            iothread: whether all run with an IOThread; None: each says so itself.
            without: names of operations that are left out.
        """
        names = json.dumps(list(without))
        self._note("INSERT INTO input_change VALUES (?, ?, ?)", iothread, names)

    def expect(self, situations: Iterable[str]) -> None:
        """Record the names of the situations that can be met on the target."""
        names = json.dumps(list(situations))
        self._note("INSERT INTO expected SELECT ?, value FROM json_each(?)", names)

    def end(self, ended: str, status: int) -> None:
        """Record the end of the campaign (ISO 8601, UTC) and its exit status."""
        if self._campaign:
            self._note(_ENDING, ended, status)

    def correct(self, status: int) -> None:
        """Record another exit status, after `close`; `problem` says so if that cannot be written.

        Raises:
            HarnessError: the ledger cannot be used any more.
        """
        if self._campaign:
            self._file = LedgerFile(self._path)
            self._note(_CORRECT, status)
            self._file.close()

    def progress(self, seconds: float, execs: int, features: int, other: tuple[int, int]) -> None:
        """Record the progress; `other`: executions with a violation, harness errors."""
        self._note(_PROGRESS, round(seconds, 1), execs, features, *other)

    def worker(self, index: int, seconds: float, execs: int, features: int) -> None:
        """Record what one worker has done in the first `seconds` of the campaign."""
        self._note(_WORKER, index, round(seconds, 1), execs, features)

    def reach(self, reach: Reach) -> None:
        """Record what was reached of the device's own code so far."""
        if reach.kind:
            self._drop(_REACH)
            self._note(_REACH, *reach)

    def silence(self, unseen: Unseen, canaries: Iterable[Canary], tried: Bounds) -> None:
        """Record what a clean result is worth so far: estimates, planted defects, runs of PCT."""
        self._drop(_UNSEEN, _CANARY, _TRIED)
        for depth, bound in tried.items():
            self._note(_TRIED, depth, *bound)
        if unseen.executions:
            self._note(_UNSEEN, *unseen)
        for one in canaries:
            self._note(_CANARY, *astuple(one))

    def _drop(self, *statements: str) -> None:
        """Drop rows that wait and are about to be replaced."""
        self._waiting = [row for row in self._waiting if row[0] not in statements]

    def finding(self, finding: Finding, *, new: bool = True) -> None:
        """Record the first finding with a signature; not new: it was in the folder before."""
        self._note(
            "INSERT INTO finding VALUES (?, ?, ?, ?, ?, ?)",
            finding.signature,
            finding.rule,
            finding.first_exec,
            finding.first_s,
            finding.path,
        )
        if not new:
            self._note("INSERT INTO not_new VALUES (?, ?)", finding.signature)

    def seen(self, signature: str, count: int) -> None:
        """Add `count` executions that showed a signature."""
        self._note(_SEEN, signature, count)

    def situation(self, name: str, seconds: float) -> None:
        """Record that a situation was met for the first time, after `seconds`."""
        self._note(_SITUATION, name, round(seconds, 1))

    def close(self) -> None:
        """Write the rows that wait, for which others get some seconds more, and close the file.

        On a full disk, they get the room of the ballast. After this, `problem` says which rows are
        missing for good.
        """
        self._file.be_patient()
        self._write_now()
        self._ballast.drop()
        if self._waiting and not self._locked:
            self._write_now()
            self._write_first()
        self._file.close()

    def _note(self, statement: str, *values: Any) -> None:  # noqa: ANN401 - what SQLite takes
        self._waiting.append((statement, (self._campaign, *values)))
        self._write()

    def _write_now(self) -> None:
        self._retry_at = 0.0
        self._write()

    def _write_first(self) -> None:
        """Write what says most, if there is no room for all the rows that wait."""
        last = next((row for row in reversed(self._waiting) if row[0] == _PROGRESS), None)
        first: list[Row] = []
        others: list[Row] = []
        for row in self._waiting:
            (first if row[0] in _FIRST or row is last else others).append(row)
        self._waiting = first
        self._write_now()
        self._waiting += others

    def _write(self) -> None:
        """Write the rows that wait, if it is time to try."""
        if not self._waiting or time.monotonic() < self._retry_at:
            return
        refused: list[Row] = []

        def note(row: Row, error: sqlite3.Error) -> None:
            refused.append(row)
            self._error = str(error)

        try:
            sync = any(statement not in _OFTEN for statement, _ in self._waiting)
            self._file.write(self._waiting, note, sync=sync)
        except sqlite3.Error as error:
            self._locked = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY
            self._put_off(said_of(error, self._path))
        except (OSError, VblkfuzzError) as error:
            self._put_off(str(error))
        else:
            self._waiting = refused
            self._retry_at = time.monotonic() + _RETRY_S if refused else 0.0

    def _put_off(self, error: str) -> None:
        self._error = error
        self._retry_at = time.monotonic() + _RETRY_S
        progress = [row for row in self._waiting if row[0] == _PROGRESS]
        if len(progress) > _MOST_PROGRESS:
            left_out = {id(row) for row in progress[-2::-2]}  # the last one stays
            self._waiting = [row for row in self._waiting if id(row) not in left_out]
