"""The ledger is damaged, locked, or not the one that it was."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.campaign import Campaign
from tests.faults.conftest import long
from vblkfuzz.store.history import LEDGER

pytestmark = pytest.mark.e2e

SETUP = ("--workers", "1", "--seed", "5")
RUNS = ("--runs", "60", "--mode", "inline")


@pytest.mark.fault(
    "Another program locks the ledger for a while in the middle",
    "The campaign goes on. The rows are written when the lock is gone: the books are complete.",
)
def test_a_ledger_that_is_locked_for_a_while(campaign: Campaign) -> None:
    campaign.start(*SETUP)
    campaign.under_way()
    with closing(sqlite3.connect(campaign.out / LEDGER, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        campaign.goes_on()
        campaign.goes_on()
        other.execute("ROLLBACK")
    campaign.goes_on()
    ended = campaign.stop()
    assert ended.status == 130, ended.stderr
    campaign.check_books(ended)
    campaign.check_nothing_left()


@pytest.mark.fault(
    "Another program locks the ledger and keeps it locked",
    "The campaign ends when its budget is spent, with 125, and says that rows are missing.",
)
@long
def test_a_ledger_that_stays_locked(campaign: Campaign) -> None:
    campaign.start(*SETUP, "--runs", "400")
    campaign.under_way()
    with closing(sqlite3.connect(campaign.out / LEDGER, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        ended = campaign.ended()
    assert ended.status == 125, ended.stderr
    assert ended.end["execs"] == 400
    assert "Traceback" not in ended.stderr
    assert "campaign.sqlite is not complete: database is locked" in ended.stderr
    campaign.check_files()


def overwritten(path: Path) -> None:
    path.write_bytes(b"no ledger at all, but long enough " * 99)


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def another_table(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE campaign (mine TEXT)")


@pytest.mark.parametrize("damage", [overwritten, cut_off, another_table])
@pytest.mark.fault(
    "The ledger is overwritten, cut off, or another program's, before a start",
    "125 and one line that names it. It is not changed; no input or finding is lost.",
)
@long
def test_a_ledger_that_is_damaged(campaign: Campaign, damage: Callable[[Path], None]) -> None:
    assert campaign.run(*SETUP, *RUNS).status == 77
    ledger = campaign.out / LEDGER
    damage(ledger)
    before = ledger.read_bytes(), campaign.inputs(), campaign.findings()
    ended = campaign.run(*SETUP, *RUNS)
    assert (ended.status, ended.events) == (125, [])
    (line,) = ended.stderr.splitlines()
    assert f"{ledger}: " in line
    assert (ledger.read_bytes(), campaign.inputs(), campaign.findings()) == before
    done = campaign.verb("status", str(campaign.out))
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr


@pytest.mark.parametrize("damage", [overwritten, another_table])
@pytest.mark.fault(
    "The ledger is overwritten or replaced while it is used",
    "The campaign goes on and ends with 125; each finding and input is there.",
)
@long
def test_a_ledger_that_is_replaced(campaign: Campaign, damage: Callable[[Path], None]) -> None:
    campaign.start(*SETUP)
    campaign.under_way()
    damage(campaign.out / LEDGER)
    campaign.goes_on()
    ended = campaign.stop()
    assert ended.status in (125, 130), ended.stderr
    assert "Traceback" not in ended.stderr
    assert "campaign.sqlite is not complete" in ended.stderr
    campaign.check_files()
    campaign.check_nothing_left()
