"""The ledger's rows, and what becomes of them while nothing can be written."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from vblkfuzz.errors import HarnessError, InputFileError, VblkfuzzError
from vblkfuzz.store import ledger as module
from vblkfuzz.store.history import read_history
from vblkfuzz.store.ledger import Ledger
from vblkfuzz.store.ledger_file import Row
from vblkfuzz.store.summary import Finding

FINDING = Finding("s1-x", "S1", 7, 0.5, "out/findings/s1-x")


def rows(path: Path, table: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(f"SELECT * FROM {table}").fetchall()


def fill(path: Path, device: str) -> None:
    ledger = Ledger(path)
    ledger.begin("2026-01-01T00:00:00+00:00", device, "inline", 2, 9)
    ledger.progress(1.26, 100, 20, (3, 1))
    ledger.finding(FINDING)
    ledger.situation("kick-while-drained", 0.33)
    assert ledger.problem == ""
    ledger.close()


def test_rows_are_there_and_a_second_campaign_adds_its_own(tmp_path: Path) -> None:
    path = tmp_path / "campaign.sqlite"
    fill(path, "patch-v4")
    fill(path, "reference")
    started = "2026-01-01T00:00:00+00:00"
    assert rows(path, "campaign") == [
        (1, started, "model", "patch-v4", "inline", 2, 9),
        (2, started, "model", "reference", "inline", 2, 9),
    ]
    assert rows(path, "progress") == [(number, 1.3, 100, 20, 3, 1) for number in (1, 2)]
    assert rows(path, "finding") == [
        (number, "s1-x", "S1", 7, 0.5, "out/findings/s1-x") for number in (1, 2)
    ]
    assert rows(path, "situation") == [(number, "kick-while-drained", 0.3) for number in (1, 2)]


def test_a_row_that_cannot_be_written_is_reported_and_others_follow(tmp_path: Path) -> None:
    path = tmp_path / "campaign.sqlite"
    ledger = Ledger(path)
    with closing(sqlite3.connect(path)) as database:
        database.execute("DROP TABLE finding")
    ledger.finding(FINDING)
    assert (
        ledger.problem == "campaign.sqlite is not complete, 1 row missing: no such table: finding"
    )
    ledger.situation("goes on", 1)
    ledger.close()
    assert len(rows(path, "situation")) == 1


def test_no_database(tmp_path: Path) -> None:
    path = tmp_path / "campaign.sqlite"
    path.mkdir()
    with pytest.raises(HarnessError, match="cannot be used"):
        Ledger(path)


def begun(path: Path) -> Ledger:
    ledger = Ledger(path)
    ledger.begin("2026-01-01T00:00:00+00:00", "patch-v4", "inline", 2, 9)
    return ledger


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that wait are tried again with the next one."""
    monkeypatch.setattr(module, "_RETRY_S", 0.0)


@pytest.mark.usefixtures("at_once")
def test_rows_wait_for_a_lock_of_others(tmp_path: Path) -> None:
    path = tmp_path / "campaign.sqlite"
    ledger = begun(path)
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        ledger.finding(FINDING)
        ledger.situation("met", 1)
        assert (
            ledger.problem == "campaign.sqlite is not complete, 2 rows missing: database is locked"
        )
        assert rows(path, "finding") == []
    ledger.seen("s1-x", 3)
    assert ledger.problem == ""
    ledger.close()
    assert (len(rows(path, "finding")), len(rows(path, "situation"))) == (1, 1)


def test_a_lock_is_not_tried_with_each_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a burst of rows would keep the campaign for as long as all its tries together."""
    path = tmp_path / "campaign.sqlite"
    ledger = begun(path)
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        ledger.situation("one", 1)
        tries: list[object] = []
        monkeypatch.setattr(ledger._file, "write", lambda *_, sync: tries.append(sync))
        for _ in range(100):
            ledger.situation("more", 1)
        assert tries == []
        now[0] = 1.0
        ledger.situation("last", 1)
    assert len(tries) == 1
    ledger.close()


def test_a_row_that_is_missing_in_the_end_is_said(tmp_path: Path) -> None:
    path = tmp_path / "campaign.sqlite"
    ledger = begun(path)
    ledger._file.be_patient = lambda: None  # type: ignore[method-assign]  # not a second
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        ledger.finding(FINDING)
        ledger.end("2026-01-01T00:00:09+00:00", 77)
        ledger.close()
    assert ledger.problem.startswith("campaign.sqlite is not complete, 2 rows missing: ")
    (record,) = read_history(path).campaigns
    assert (record.ended, record.findings) == (None, ())


@pytest.mark.usefixtures("at_once")
def test_of_progress_some_is_left_out_but_neither_the_last_nor_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_PROGRESS", 8)
    path = tmp_path / "campaign.sqlite"
    ledger = begun(path)

    def full(*_: object, sync: bool) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(ledger._file, "write", full)
        for number in range(1, 101):
            ledger.finding(FINDING)
            ledger.progress(number, number, 0, (0, 0))
            assert sum("progress" in row[0] for row in ledger._waiting) <= 8
    ledger.close()
    assert len(rows(path, "finding")) == 100
    assert read_history(path).campaigns[0].execs == 100


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("room", [3, 100])
def test_the_end_of_a_campaign_fits_on_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    """The room is that of the ballast: for all rows, or for few of them."""
    path = tmp_path / "campaign.sqlite"
    ledger = begun(path)
    write, ballast = ledger._file.write, tmp_path / "campaign.sqlite-ballast"

    def full(found: list[Row], *more: Any, sync: bool) -> None:  # noqa: ANN401 - as `write`
        if ballast.exists() or len(found) > room:
            raise OSError(28, "No space left on device")
        write(found, *more, sync=sync)

    monkeypatch.setattr(ledger._file, "write", full)
    assert ballast.stat().st_size == 128 << 10
    for number in range(1, 5):
        ledger.finding(FINDING)
        ledger.progress(number, number, 0, (0, 0))
    ledger.end("2026-01-01T00:00:09+00:00", 77)
    ledger.close()
    (record,) = read_history(path).campaigns
    assert (record.execs, record.status, len(record.findings)) == (4, 77, 0 if room == 3 else 4)
    assert ("7 rows missing" in ledger.problem) == (room == 3)
    assert not ballast.exists()


def test_a_disk_without_room_for_the_end_is_said_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(HarnessError, match=r"sqlite: cannot be written: No space left on device"):
        Ledger(tmp_path / "campaign.sqlite")
    assert [one.name for one in tmp_path.iterdir()] == ["campaign.sqlite"]


def test_a_reader_does_not_keep_a_campaign_from_writing(tmp_path: Path) -> None:
    path = tmp_path / "campaign.sqlite"
    ledger = begun(path)
    with closing(sqlite3.connect(path)) as reader:
        reader.execute("BEGIN")
        before = reader.execute("SELECT count(*) FROM finding").fetchall()
        ledger.finding(FINDING)
        assert ledger.problem == ""
        assert reader.execute("SELECT count(*) FROM finding").fetchall() == before == [(0,)]
    ledger.close()


def test_a_campaign_that_has_ended_leaves_one_file(tmp_path: Path) -> None:
    ledger = begun(tmp_path / "campaign.sqlite")
    assert (tmp_path / "campaign.sqlite-wal").exists()
    ledger.close()
    assert [path.name for path in tmp_path.iterdir()] == ["campaign.sqlite"]


def test_a_network_folder_has_no_shared_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vblkfuzz.store.ledger_file.is_network_folder", lambda _: True)
    path = tmp_path / "campaign.sqlite"
    ledger = begun(path)
    ledger.finding(FINDING)
    names = {one.name for one in tmp_path.iterdir()}
    assert names == {"campaign.sqlite", "campaign.sqlite-ballast"}
    assert len(read_history(path).campaigns[0].findings) == 1
    ledger.close()


def test_an_exit_status_is_corrected(tmp_path: Path) -> None:
    """Of its own campaign, though another one has begun in the folder."""
    path = tmp_path / "campaign.sqlite"
    ledger = begun(path)
    ledger.end("2026-01-01T00:00:09+00:00", 77)
    ledger.close()
    other = begun(path)
    ledger.correct(141)
    assert ledger.problem == ""
    other.end("2026-01-01T00:00:19+00:00", 0)
    other.close()
    found = [(one.ended, one.status) for one in read_history(path).campaigns]
    assert found == [("2026-01-01T00:00:09+00:00", 141), ("2026-01-01T00:00:19+00:00", 0)]


@pytest.mark.parametrize("replaced", [False, True])
def test_a_ledger_that_was_taken_away_is_written_anew(tmp_path: Path, replaced: bool) -> None:
    path = tmp_path / "campaign.sqlite"
    ledger = begun(path)
    ledger.finding(FINDING)
    path.unlink()
    if replaced:
        path.write_bytes(b"mine")
    ledger.situation("met", 1)
    assert (ledger.problem, "written anew" in ledger.replaced) == ("", True)
    ledger.end("2026-01-01T00:00:09+00:00", 77)
    ledger.close()
    (record,) = read_history(path).campaigns
    assert (record.findings, record.met, record.status) == (("s1-x",), ("met",), 77)
    others = {one.name: one.read_bytes() for one in tmp_path.iterdir() if one != path}
    assert others == ({"campaign.sqlite.other-1": b"mine"} if replaced else {})


def test_a_folder_that_is_gone_is_no_traceback(tmp_path: Path) -> None:
    path = tmp_path / "out" / "campaign.sqlite"
    path.parent.mkdir()
    ledger = begun(path)
    for file in path.parent.iterdir():
        file.unlink()
    path.parent.rmdir()
    ledger.finding(FINDING)
    ledger.close()
    assert "1 row missing: [Errno 2]" in ledger.problem


def test_a_ledger_that_is_overwritten_is_said_and_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "campaign.sqlite"
    begun(path).close()
    ledger = begun(path)
    for file in tmp_path.iterdir():
        with file.open("r+b") as opened:
            opened.write(b"x" * file.stat().st_size)
    ledger.finding(FINDING)
    ledger.close()
    assert "missing: " in ledger.problem
    with pytest.raises(HarnessError, match=r"cannot be used: .*vblkfuzz status --rebuild"):
        Ledger(path)
    with pytest.raises(InputFileError, match=r"expected the ledger .*vblkfuzz status --rebuild"):
        read_history(path)


def test_a_damaged_page_is_seen_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / "campaign.sqlite"
    ledger = begun(path)
    ledger.expect("x" * 90 + str(number) for number in range(300))
    ledger.close()
    with path.open("r+b") as file:
        file.seek(-3 * 4096, 2)
        file.write(b"\xff" * 3 * 4096)
    with pytest.raises(HarnessError, match=r"cannot be used: .*vblkfuzz status --rebuild"):
        Ledger(path)


def test_a_ledger_of_a_newer_version(tmp_path: Path) -> None:
    path = tmp_path / "campaign.sqlite"
    begun(path).close()
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 99")
    for use in (Ledger, read_history):
        with pytest.raises(VblkfuzzError, match="found schema 99: a newer vblkfuzz wrote it"):
            use(path)


@pytest.mark.parametrize("table", ["mine", "campaign"])
def test_a_database_of_another_program_is_left_alone(tmp_path: Path, table: str) -> None:
    path = tmp_path / "campaign.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"CREATE TABLE {table} (mine TEXT)")
        database.commit()
    content = path.read_bytes()
    for use in (Ledger, read_history):
        with pytest.raises(VblkfuzzError, match="found that of another program"):
            use(path)
    assert path.read_bytes() == content
