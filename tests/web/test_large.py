"""A page costs what it shows, not what the folder has: 20,000 inputs, 1,000 findings."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.web.conftest import Client
from tests.web.folders import SIGNATURE, output_folder
from vblkfuzz.store.course import POINTS
from vblkfuzz.web.folder import Folder
from vblkfuzz.web.place import PER_PAGE

INPUTS, FINDINGS, ENTRIES = 20_000, 1_000, 20_000


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return output_folder(tmp_path_factory.mktemp("large") / "out", INPUTS, FINDINGS, ENTRIES)


class Counts:
    """Files that were opened below a folder, folders that were listed, rows that SQLite gave."""

    def __init__(self, below: Path) -> None:
        self._below = str(below)
        self.opened = self.listed = self.rows = 0
        self.on = True

    def note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on or event not in ("open", "os.scandir", "os.listdir"):
            return
        if str(arguments[0]).startswith(self._below):
            self.opened += event == "open"
            self.listed += event != "open"


@contextmanager
def counting(below: Path, patch: pytest.MonkeyPatch) -> Iterator[Counts]:
    counts = Counts(below)

    class Cursor(sqlite3.Cursor):
        def fetchall(self) -> list[Any]:
            found = super().fetchall()
            counts.rows += len(found)
            return found

        def __next__(self) -> Any:  # noqa: ANN401
            counts.rows += 1
            return super().__next__()

    class Connection(sqlite3.Connection):
        def execute(self, *arguments: Any) -> sqlite3.Cursor:  # noqa: ANN401
            return self.cursor(Cursor).execute(*arguments)

    patch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Connection))
    sys.addaudithook(counts.note)
    try:
        yield counts
    finally:
        counts.on = False  # a hook cannot be taken away
        patch.undo()


@pytest.mark.parametrize(
    ("path", "opened", "shown"),
    [
        ("/", 10, "<dt>inputs</dt><dd>20,000</dd>"),
        ("/findings", 3 * PER_PAGE + 10, "1,000 findings"),
        ("/findings?page=20", 3 * PER_PAGE + 10, "page 20 of 20"),
        ("/findings?rule=S1", 3 * PER_PAGE + 10, SIGNATURE),
        ("/corpus?page=400", PER_PAGE + 10, "page 400 of 400"),
        ("/situations", 10, "47 of 107"),
    ],
)
def test_work_is_bounded(
    client: Callable[..., Client],
    large: Path,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    opened: int,
    shown: str,
) -> None:
    browser = client(Folder(large))
    with counting(large, monkeypatch) as counts:
        page = browser.get(path).text
    assert shown in page
    assert counts.opened <= opened
    assert counts.listed <= FINDINGS + 10  # each finding has a folder
    # Per signature and campaign a few; of the 80,000 entries those that are drawn.
    assert counts.rows <= 10 * FINDINGS + 8 * POINTS + 2000
    assert len(page) < 100_000
