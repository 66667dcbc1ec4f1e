"""The rows written to a ledger can be read from it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from vblkfuzz.errors import InputFileError
from vblkfuzz.store.history import read_history
from vblkfuzz.store.ledger import Ledger
from vblkfuzz.store.summary import Finding


def ledger_of_two(path: Path) -> None:
    for seed in (1, 2):
        ledger = Ledger(path)
        ledger.begin(f"2026-01-0{seed}T00:00:00+00:00", "patch-v4", "inline", 3, seed)
        ledger.progress(1, 10, 5, (1, 0))
        ledger.progress(2, 30, 6, (4, 1))
        ledger.situation("kick_in_drain", 0.5)
        ledger.finding(Finding("s1-x", "S1", 7 * seed, 0.5 * seed, "findings/s1-x"))
        ledger.seen("s1-x", 1)
        ledger.seen("s1-x", 2)
        ledger.close()


def test_two_campaigns_in_one_folder(tmp_path: Path) -> None:
    path = tmp_path / "campaign.sqlite"
    ledger_of_two(path)
    history = read_history(path)
    first, second = history.campaigns
    assert (first.seed, second.seed) == (1, 2)
    assert (second.execs, second.seconds, second.execs_per_s) == (30, 2.0, 15.0)
    assert (second.violations, second.harness_errors, second.met) == (4, 1, ("kick_in_drain",))
    seen = history.sightings["s1-x"]
    assert (seen.count, seen.first_exec, seen.first_s) == (6, 7, 0.5)
    assert seen.started == first.started


def test_a_ledger_without_counts(tmp_path: Path) -> None:
    path = tmp_path / "campaign.sqlite"
    ledger_of_two(path)
    with closing(sqlite3.connect(path)) as db:
        db.execute("DROP TABLE seen")
    assert read_history(path).sightings["s1-x"].count == 0


def test_a_campaign_that_has_just_begun(tmp_path: Path) -> None:
    path = tmp_path / "campaign.sqlite"
    ledger = Ledger(path)
    ledger.begin("2026-01-01T00:00:00+00:00", "patch-v4", "inline", 1, 1)
    (record,) = read_history(path).campaigns  # while the campaign has the ledger open
    ledger.close()
    assert (record.execs, record.execs_per_s, record.met) == (0, 0.0, ())


def test_an_empty_ledger_can_be_restored(tmp_path: Path) -> None:
    path = tmp_path / "campaign.sqlite"
    path.touch()
    with pytest.raises(InputFileError, match=r"found an empty file; restore it .* --rebuild"):
        read_history(path)


@pytest.mark.parametrize("content", [None, b"", b"no database", b"SQLite format 3\0 truncated"])
def test_no_ledger(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "campaign.sqlite"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputFileError, match=r"campaign\.sqlite: expected the ledger"):
        read_history(path)
