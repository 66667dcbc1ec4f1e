"""The file of a ledger while a campaign writes it: how it is opened, and what happens to it.

It is in SQLite's WAL mode, in which readers and the campaign do not wait for each other. A network
file system has no shared memory for that; there it is in rollback mode. A campaign that ends puts
it back into rollback mode: one file, which can be read in a folder that cannot be written.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import HarnessError, InputFileError
from vblkfuzz.store.atomic import write_file
from vblkfuzz.store.ledger_schema import check, migrate
from vblkfuzz.store.network_folder import is_network_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

Row = tuple[str, tuple[object, ...]]
"""A statement and its values."""
_OPEN_S: Final = 5.0
"""Seconds in which others must let go of the ledger when a campaign begins."""
_BUSY_MS: Final = 20
"""How long a lock of others is waited for while a campaign runs: a statement waits once, and a
transaction has two that may."""
_CLOSE_MS: Final = 1000
"""The same at its end."""
_BROKEN: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
SIDE_FILES: Final = ("-wal", "-shm", "-journal")
"""Ends of the names of the files that SQLite keeps beside a database."""
BALLAST: Final = "-ballast"
"""End of the name of the file that takes room beside it (`store.ballast`)."""


class LedgerFile:
    """The ledger, open for the only process that writes it.

    Raises:
        HarnessError: it is damaged or locked, of a newer version or another program, or cannot be
            written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._content: bytes | None = None
        """What the ledger had when its file was found to be gone, until it is written anew."""
        try:
            self._open()
            (last,) = self._db.execute("SELECT coalesce(max(id), 0) FROM campaign").fetchone()
        except sqlite3.Error as error:
            raise HarnessError(f"{path}: cannot be used: {said_of(error, path)}") from error
        except InputFileError as error:
            raise HarnessError(str(error)) from None
        self.campaigns = int(last)
        """Number of the last campaign that it has."""
        self.replaced = ""
        """What happened to the file while it was open; empty: nothing."""

    def _open(self) -> None:
        # Autocommit: `write` says where a transaction begins and ends.
        self._db = sqlite3.connect(self._path, isolation_level=None, timeout=_OPEN_S)
        try:
            check(self._db, self._path)
            (found,) = self._db.execute("PRAGMA quick_check(1)").fetchone()
            if found != "ok":
                why = found.splitlines()[-1]
                raise HarnessError(f"{self._path}: cannot be used: {why}; {advice(self._path)}")
            _share(self._db, self._path)
            migrate(self._db)
            self._db.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
            self._identity = _identity(self._path)
        except BaseException:
            self._db.close()
            raise

    def write(
        self, rows: Sequence[Row], refused: Callable[[Row, sqlite3.Error], None], *, sync: bool
    ) -> None:
        """Write rows in one transaction: all of them, but for those that SQLite refuses.

        Args:
            rows: the rows, in order.
            refused: called with each row that cannot be written, though others can.
            sync: return when they and all earlier ones are on the disk. Else, in WAL mode, they
                survive the end of the process, but not a loss of power.

        Raises:
            sqlite3.Error, OSError: nothing is written. The ledger is locked, or the disk is full.
            VblkfuzzError: its file was replaced, and the copy of it is damaged.
        """
        self._put_back()
        self._db.execute(f"PRAGMA synchronous = {'FULL' if sync else 'NORMAL'}")
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for row in rows:
                try:
                    self._db.execute(*row)
                except sqlite3.Error as error:
                    if not self._db.in_transaction:  # SQLite has given up the whole of it
                        raise
                    refused(row, error)
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _put_back(self) -> None:
        """Write the ledger anew if its file was deleted or replaced: it is still open here."""
        now = _identity(self._path)
        if self._content is None:
            if now == self._identity:
                return
            self._content = self._db.serialize()
            self._db.close()  # before: it removes the file beside it, whatever that belongs to
        what = "was deleted"
        if now is not None:
            aside = free_name(self._path, "other")
            self._path.rename(aside)
            what = f"was replaced by another file, now {aside.name},"
        for end in SIDE_FILES:
            self._path.with_name(self._path.name + end).unlink(missing_ok=True)
        write_file(self._path, self._content)
        self._open()
        self._content = None
        self.replaced = f"{self._path} {what} while the campaign ran, and was written anew"

    def be_patient(self) -> None:
        """Wait longer for others from now on: the campaign has ended."""
        with suppress(sqlite3.Error):
            self._db.execute(f"PRAGMA busy_timeout = {_CLOSE_MS}")

    def close(self) -> None:
        """Make it one file again, unless somebody reads it now, and close it."""
        with suppress(sqlite3.Error):
            self._db.execute("PRAGMA journal_mode = DELETE").fetchall()
        with suppress(sqlite3.Error):
            self._db.close()


def _share(db: sqlite3.Connection, path: Path) -> None:
    """Let others read it while it is written, if the file system can."""
    if is_network_folder(path.parent):
        db.execute("PRAGMA journal_mode = DELETE").fetchall()
        return
    # Else it stays in rollback mode: there is no shared memory, or somebody reads it now.
    with suppress(sqlite3.OperationalError):
        db.execute("PRAGMA journal_mode = WAL").fetchall()


def _identity(path: Path) -> tuple[int, int] | None:
    """Return which file has the name now; None: none has."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def free_name(path: Path, word: str) -> Path:
    """Return a name beside the ledger that no file has, like ``campaign.sqlite.broken-1``."""
    number = 1
    while any(os.path.lexists(f"{path}.{word}-{number}{end}") for end in ("", *SIDE_FILES)):
        number += 1
    return path.with_name(f"{path.name}.{word}-{number}")


def said_of(error: sqlite3.Error, path: Path) -> str:
    """Say what is wrong with a ledger, and what to do if it is damaged."""
    code = getattr(error, "sqlite_errorcode", None)
    return f"{error}; {advice(path)}" if code is not None and code & 0xFF in _BROKEN else str(error)


def advice(path: Path) -> str:
    """Say what to do about a damaged ledger."""
    return f"restore it from the files beside it: vblkfuzz status --rebuild {path.parent}"
