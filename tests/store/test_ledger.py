"""The ledger's rows."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from vblkfuzz.errors import HarnessError
from vblkfuzz.store.ledger import Ledger
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
    assert "campaign.sqlite is not complete" in ledger.problem
    ledger.situation("goes on", 1)
    ledger.close()
    assert len(rows(path, "situation")) == 1


def test_no_database(tmp_path: Path) -> None:
    path = tmp_path / "campaign.sqlite"
    path.mkdir()
    with pytest.raises(HarnessError, match="cannot be used"):
        Ledger(path)
