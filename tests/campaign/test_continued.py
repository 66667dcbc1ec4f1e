"""A folder goes on: what is known from before is not new, and no end of any kind loses it."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.campaign.conftest import Ended, Fuzz, Start
from tests.campaign.family import alive, family
from tests.waiting import WAIT_S, until
from vblkfuzz.store.history import read_history

pytestmark = pytest.mark.e2e

SETUP = ("--mode", "inline", "--workers", "1", "--seed", "5")


def told(ended: Ended) -> list[str]:
    events: list[dict[str, Any]] = [json.loads(line) for line in ended.stdout.splitlines()]
    return [event["signature"] for event in events if event["event"] == "finding"]


def names(ended: Ended) -> set[str]:
    return {one["signature"] for one in ended.summary["findings"]}


def test_a_finding_of_before_is_counted_and_is_not_new(
    fuzz: Fuzz, device_file: Callable[[str], str]
) -> None:
    device = device_file("def __init__(self, *args): raise RuntimeError('no such board')")
    setup = (*SETUP, "--runs", "3", "--device", device)
    first = fuzz(*setup)
    assert (first.status, first.summary["seen_again"]) == (77, {})
    (name,) = names(first)
    again = fuzz(*setup)
    assert (again.status, again.stderr.count("no such board")) == (0, 0)
    assert (told(again), again.summary["findings"]) == ([], [])
    assert again.summary["seen_again"] == {name: 3}
    total = again.summary["total"]
    assert (total["campaigns"], total["execs"]) == (2, 6)
    seconds = first.summary["seconds"] + again.summary["seconds"]
    assert total["seconds"] == pytest.approx(seconds, abs=0.2)
    one, two = read_history(again.out / "campaign.sqlite").campaigns
    assert (one.new, two.new, two.findings) == ((name,), (), (name,))


def test_stop_on_first_means_the_first_new_one(fuzz: Fuzz) -> None:
    """Else a folder with a finding could not be searched for the next one."""
    found: list[str] = []
    for _ in range(2):
        ended = fuzz(*SETUP, "--stop-on-first")
        (finding,) = ended.summary["findings"]
        assert (ended.status, told(ended)) == (77, [finding["signature"]])
        found.append(finding["signature"])
    assert len(set(found)) == 2


def test_all_are_killed_and_the_folder_goes_on(start: Start, fuzz: Fuzz, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = start("--workers", "1", "--seed", "5")
    ledger = out / "campaign.sqlite"
    until(lambda: ledger.exists() and (out / "corpus").exists() and os.listdir(out / "findings"))
    until(lambda: read_history(ledger).campaigns[0].findings)
    everybody = family(process.pid)
    process.send_signal(signal.SIGSTOP)  # nobody says anything more
    before = read_history(ledger)
    for pid in everybody:
        os.kill(pid, signal.SIGKILL)
    process.communicate(timeout=WAIT_S)
    until(lambda: not any(map(alive, everybody)))
    (record,) = read_history(ledger).campaigns
    assert record == before.campaigns[0]
    assert (record.ended, record.status) == (None, None)
    saved = set(os.listdir(out / "findings"))
    again = fuzz(*SETUP, "--runs", "300")
    assert again.status in (0, 77)
    assert saved.isdisjoint(told(again))
    assert again.stderr.count("goes on: begun") == 1
    one, two = read_history(ledger).campaigns
    assert (one, two.status) == (record, again.status)
    assert [path.name for path in out.glob("campaign.sqlite*")] == ["campaign.sqlite"]


@pytest.mark.parametrize("end", ["budget", "signal"])
def test_a_ledger_that_is_locked_to_the_end(start: Start, tmp_path: Path, end: str) -> None:
    """The campaign runs on, ends in time, and says what the ledger lacks."""
    out = tmp_path / "out"
    budget = ("--runs", "400") if end == "budget" else ()
    process = start(*SETUP, *budget, "--device", "reference")
    ledger = out / "campaign.sqlite"
    until(lambda: ledger.exists() and Path(f"{ledger}-wal").exists())
    with closing(sqlite3.connect(ledger, isolation_level=None, timeout=WAIT_S)) as other:
        other.execute("BEGIN EXCLUSIVE")
        corpus = out / "corpus"
        until(lambda: len(os.listdir(corpus)) > 5)
        if end == "signal":
            process.send_signal(signal.SIGTERM)
        _, stderr = process.communicate(timeout=WAIT_S)
    assert process.returncode == (125 if end == "budget" else 72)
    assert stderr.count("vblkfuzz: campaign.sqlite is not complete, ") == 1
    assert "missing: database is locked\n" in stderr
