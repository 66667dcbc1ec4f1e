"""A ledger is restored from what is left of it, and from the files of its folder."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.checkout import CHECKOUT
from vblkfuzz.errors import InputFileError, UsageError
from vblkfuzz.scenario.artifact import dump_artifact, read_input
from vblkfuzz.store.folder import claimed
from vblkfuzz.store.history import read_history
from vblkfuzz.store.ledger import Ledger
from vblkfuzz.store.rebuild import rebuild
from vblkfuzz.store.summary import Finding

STARTED = "2026-01-01T00:00:00+00:00"
LOG = """\
INFO: Seed: 7
--- 2026-02-03T04:05:06+00:00 worker 0 starts, seed 7
--- 2026-02-03T04:15:06+00:00 worker 0 ended with exit status 0
--- 2026-02-04T04:05:06+00:00 worker 0 starts, seed 8
"""


BUG = read_input(CHECKOUT / "corpus" / "regress" / "s1-reset-in-drain" / "scenario.toml")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder with the findings of two campaigns, and no ledger."""
    folder = tmp_path / "out"
    for name in ("s1-x", "s1-y", "s1-y@2"):
        finding = folder / "findings" / name
        finding.mkdir(parents=True)
        (finding / "finding.vblk").write_bytes(dump_artifact(BUG))
    (folder / "log").mkdir()
    (folder / "log" / "worker-0.log").write_text(LOG)
    return folder


def record(out: Path, *signatures: str) -> Path:
    ledger = Ledger(out / "campaign.sqlite")
    ledger.begin(STARTED, "reference", "inline", 1, 7)
    for signature in signatures:
        ledger.finding(Finding(signature, "S1", 42, 1.5, f"{out}/findings/{signature}"))
        ledger.seen(signature, 300)
    ledger.progress(10, 2000, 50, (300, 0))
    ledger.end(STARTED, 77)
    ledger.close()
    return out / "campaign.sqlite"


def test_from_files_alone(out: Path) -> None:
    (out / "findings" / "s1-broken").mkdir()
    (out / "findings" / "s1-broken" / "finding.vblk").touch()
    ledger = out / "campaign.sqlite"
    done = rebuild(out, ledger)
    assert (done.rows, done.campaigns, done.kept, done.problem) == (0, 1, "", "")
    assert (done.findings, done.unreadable) == (["s1-x", "s1-y"], ["s1-broken"])
    (campaign,) = read_history(ledger).campaigns
    assert campaign.restored
    assert (campaign.started, campaign.seed, campaign.workers) == (
        "2026-02-03T04:05:06+00:00",
        7,
        1,
    )
    assert (campaign.target, campaign.device, campaign.mode) == (
        BUG.target,
        BUG.device,
        BUG.mode,
    )
    assert (campaign.execs, set(campaign.findings)) == (0, {"s1-x", "s1-y"})


def test_a_ledger_that_is_whole_stays_as_it_was(out: Path) -> None:
    ledger = record(out, "s1-x", "s1-y")
    before, content = read_history(ledger), ledger.read_bytes()
    done = rebuild(out, ledger)
    assert (done.campaigns, done.findings, done.problem) == (0, [], "")
    assert read_history(ledger) == before
    assert (out / "campaign.sqlite.broken-1").read_bytes() == content


def test_what_can_be_read_of_a_damaged_one_is_kept(out: Path) -> None:
    ledger = record(out, "s1-x")
    content = bytearray(ledger.read_bytes())
    at = content.index(b"s1-x")  # the table `finding`
    page = at // 4096 * 4096
    content[page : page + 4096] = b"\xff" * 4096
    ledger.write_bytes(content)
    done = rebuild(out, ledger)
    assert done.problem
    assert done.rows > 0
    history = read_history(ledger)
    assert (history.campaigns[0].started, history.execs) == (STARTED, 2000)
    assert set(history.sightings) == {"s1-x", "s1-y"}
    assert (out / "campaign.sqlite.broken-1").read_bytes() == content


def test_no_old_one_is_ever_overwritten(out: Path) -> None:
    ledger = out / "campaign.sqlite"
    for number in (1, 2, 3):
        ledger.write_bytes(b"no database %d" % number)
        assert rebuild(out, ledger).kept == f"campaign.sqlite.broken-{number}"
    kept = [(out / f"campaign.sqlite.broken-{number}").read_bytes() for number in (1, 2, 3)]
    assert kept == [b"no database 1", b"no database 2", b"no database 3"]


def test_rows_that_are_only_beside_the_ledger_are_kept(out: Path, tmp_path: Path) -> None:
    """Of a campaign that was killed: nothing is in the main file yet."""
    running = tmp_path / "running"
    running.mkdir()
    writing = Ledger(running / "campaign.sqlite")
    writing.begin(STARTED, "reference", "inline", 1, 7)
    writing.progress(1, 10, 5, (1, 0))
    for end in ("", "-wal"):
        shutil.copy(f"{running}/campaign.sqlite{end}", out)
    writing.close()
    rebuild(out, out / "campaign.sqlite")
    assert read_history(out / "campaign.sqlite").campaigns[0].execs == 10
    assert read_history(out / "campaign.sqlite.broken-1").campaigns[0].execs == 10


def test_a_corpus_alone_is_of_a_campaign_on_something(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "input").write_bytes(b"x")
    rebuild(tmp_path, tmp_path / "campaign.sqlite")
    (campaign,) = read_history(tmp_path / "campaign.sqlite").campaigns
    assert (campaign.restored, campaign.device) == (True, "")


def test_not_beside_a_campaign_and_not_of_a_newer_version(out: Path) -> None:
    ledger = record(out)
    with claimed(out), pytest.raises(UsageError, match="another campaign uses it"):
        rebuild(out, ledger)
    content = ledger.read_bytes()
    newer = content[:60] + (99).to_bytes(4) + content[64:]  # user_version, in the header
    ledger.write_bytes(newer)
    with pytest.raises(InputFileError, match="a newer vblkfuzz wrote it"):
        rebuild(out, ledger)
    assert ledger.read_bytes() == newer
    assert not list(out.glob(".tmp*"))


def test_a_pipe_of_that_name_is_not_waited_for(out: Path) -> None:
    ledger = out / "campaign.sqlite"
    ledger.unlink(missing_ok=True)
    os.mkfifo(ledger)
    done = rebuild(out, ledger)
    assert ledger.is_file()
    assert (out / done.kept).is_fifo()
