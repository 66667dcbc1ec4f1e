"""Whatever state the ledger is in, the page says so in one line, and shows the rest."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.web.conftest import Client
from tests.web.folders import SIGNATURE
from vblkfuzz.store.history import LEDGER
from vblkfuzz.web import folder as web_folder
from vblkfuzz.web.folder import Folder


def empty(path: Path) -> None:
    path.write_bytes(b"")


def gone(path: Path) -> None:
    path.unlink()


def text(path: Path) -> None:
    path.write_text("no ledger")


def half_written(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE x (y)")


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")


def other_values(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE campaign SET started = 'yesterday'")


@pytest.mark.parametrize(
    "harm",
    [empty, gone, text, half_written, foreign, newer, other_values],
    ids=lambda f: f.__name__,
)
def test_one_line(client: Callable[..., Client], out: Path, harm: Callable[[Path], None]) -> None:
    browser = client(Folder(out))
    harm(out / LEDGER)
    page = browser.get("/")
    assert page.status_code == 200
    assert page.text.count('role="alert"') == 1
    assert "campaign.sqlite" in page.text
    assert "<dt>findings</dt><dd>3</dd>" in page.text
    assert SIGNATURE in browser.get("/findings").text
    assert "12 inputs" in browser.get("/corpus").text
    assert browser.get("/situations").text.count('role="alert"') == 1


def test_a_locked_ledger(
    client: Callable[..., Client], out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_folder, "PATIENCE_S", 0.01)
    with closing(sqlite3.connect(out / LEDGER, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = DELETE")  # as on a network file system
        db.execute("BEGIN EXCLUSIVE")
        page = client(Folder(out)).get("/").text
    assert "locked" in page
    assert page.count('role="alert"') == 1


def test_nothing_is_changed_beside_a_campaign(client: Callable[..., Client], out: Path) -> None:
    """A ledger that a campaign has open can be read and written at once."""
    from vblkfuzz.store.ledger import Ledger

    ledger = Ledger(out / LEDGER)
    ledger.begin("2026-01-03T00:00:00+00:00", "patch-v4", "inline", 1, 3)
    before = {path for path in out.rglob("*")}
    browser = client(Folder(out))
    for seconds in range(1, 4):
        ledger.progress(seconds, 10 * seconds, 5, (0, 0))
        assert f"{594_880 + 10 * seconds:,}" in str(Folder(out).overview().figures)
        for path in ("/findings", "/situations", "/corpus"):
            assert browser.get(path).status_code == 200
    assert {path for path in out.rglob("*")} == before
    assert ledger.problem == ""
    ledger.close()


def test_a_folder_without_a_campaign(tmp_path: Path) -> None:
    from vblkfuzz.errors import InputFileError

    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(InputFileError, match="expected the output folder of a campaign"):
            Folder(folder)
