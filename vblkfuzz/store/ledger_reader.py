"""Opening a ledger to read it, whatever state it is in, without changing anything.

A ledger that is being written, or whose campaign was killed, has files beside it. SQLite reads
these in place only if it may write in the folder; else a copy of all of them is read.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import InputFileError
from vblkfuzz.store.ledger_file import SIDE_FILES, advice, said_of
from vblkfuzz.store.ledger_schema import check

if TYPE_CHECKING:
    from collections.abc import Iterator

_IN_PLACE: Final = "?mode=ro"
PATIENCE_S: Final = 5.0
"""Seconds for which a reader waits for a ledger that others lock."""


@contextmanager
def reading(path: Path, patience_s: float = PATIENCE_S) -> Iterator[sqlite3.Connection]:
    """Open a ledger; reads see what was committed before the first of them.

    Args:
        path: the ledger.
        patience_s: seconds for which others may lock it.

    Raises:
        InputFileError: there is no such file, it is damaged or locked, or not a ledger that this
            version knows. Also while it is read.
    """
    if not path.is_file():
        raise InputFileError(str(path), "", "expected the ledger of a campaign, found no file")
    if path.stat().st_size == 0:
        found = f"found an empty file; {advice(path)}"
        raise InputFileError(str(path), "", f"expected the ledger of a campaign, {found}")
    try:
        with _opened(path, patience_s) as db:
            db.execute("BEGIN")
            check(db, path)
            yield db
    except (sqlite3.Error, OSError) as error:
        said = said_of(error, path) if isinstance(error, sqlite3.Error) else str(error)
        raise InputFileError(str(path), "", f"expected the ledger of a campaign: {said}") from None


def has_table(db: sqlite3.Connection, name: str) -> bool:
    """Whether the ledger has a table that older ones do not have."""
    return bool(db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (name,)).fetchone())


@contextmanager
def _opened(path: Path, patience_s: float) -> Iterator[sqlite3.Connection]:
    db = _in_place(path, patience_s)
    if db is None:
        with _copied(path) as db:
            yield db
        return
    with closing(db):
        yield db


def _in_place(path: Path, patience_s: float) -> sqlite3.Connection | None:
    """Open the ledger where it is; None: SQLite would have to write there, and cannot."""
    try:
        place = f"{path.absolute().as_uri()}{_IN_PLACE}"
        db = sqlite3.connect(place, timeout=patience_s, uri=True)
        try:
            db.execute("SELECT 1 FROM sqlite_master").fetchall()
        except BaseException:
            db.close()
            raise
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            raise
        return None
    return db


@contextmanager
def _copied(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a copy of the ledger and of what SQLite keeps beside it, but for the shared memory."""
    with tempfile.TemporaryDirectory(prefix="vblkfuzz-ledger-") as folder:
        for end in ("", *SIDE_FILES):
            beside = path.with_name(path.name + end)
            if end != "-shm" and beside.exists():
                shutil.copyfile(beside, Path(folder, path.name + end))
        with closing(sqlite3.connect(Path(folder, path.name), isolation_level=None)) as db:
            yield db
