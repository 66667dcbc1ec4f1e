"""`vblkfuzz status`: the progress of a campaign."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.cli.conftest import Cli
from tests.cli.verbs.conftest import SIGNATURE
from vblkfuzz.store.folder import claimed
from vblkfuzz.store.ledger import Ledger


def test_an_ended_campaign(cli: Cli, out: Path) -> None:
    result = cli("status", out)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == (
        "2026-01-02T03:04:05+00:00  ended 2026-01-02T03:04:15+00:00, exit status 77"
    )
    assert "  so far    2,000 executions in 10.0 s" in lines
    assert "  found     1 finding" in lines
    assert f"1 finding in the folder: vblkfuzz triage {out}" in lines
    assert "Never met, so these rules were hardly tested:" in lines
    assert "    - A reset began inside a drained section." in lines


def test_a_finding_whose_folder_has_gone(cli: Cli, out: Path) -> None:
    shutil.rmtree(out / "findings" / SIGNATURE)
    lines = cli("status", out).stdout.splitlines()
    assert f"0 findings in the folder: vblkfuzz triage {out}" in lines
    assert f"seen, but not in the folder: {SIGNATURE}" in lines


def begin(out: Path, *situations: str) -> Ledger:
    ledger = Ledger(out / "campaign.sqlite")
    ledger.begin("2026-01-03T00:00:00+00:00", "virtio-blk-pci", "processes", 2, 8, "qemu")
    ledger.expect(situations)
    return ledger


def test_killed_is_not_ended(cli: Cli, out: Path) -> None:
    """A campaign without an end: it runs if something holds the folder, else it was killed."""
    begin(out).close()
    assert "2026-01-03T00:00:00+00:00  killed" in cli("status", out).stdout.splitlines()
    begin(out).close()
    with claimed(out):
        found = json.loads(cli("status", out, "--json").stdout)
    assert [one["state"] for one in found["campaigns"]] == ["ended", "killed", "running"]
    assert [one["target"] for one in found["campaigns"]] == ["model", "qemu", "qemu"]


def test_a_version_that_did_not_record_the_end(cli: Cli, out: Path) -> None:
    with closing(sqlite3.connect(out / "campaign.sqlite")) as db:
        db.executescript("DROP TABLE ending; DROP TABLE expected; PRAGMA user_version = 0")
    begin(out).close()
    found = json.loads(cli("status", out, "--json").stdout)
    assert [one["state"] for one in found["campaigns"]] == ["ended", "killed"]


def test_what_the_target_cannot_meet_is_not_missed(cli: Cli, out: Path) -> None:
    begin(out, "kick_in_drain", "reset_in_drain").close()
    ledger = begin(out)
    ledger.situation("kick_in_drain", 1.0)
    ledger.close()
    assert json.loads(cli("status", out, "--json").stdout)["never_met"] == ["reset_in_drain"]


def test_a_running_campaign(cli: Cli, out: Path) -> None:
    with claimed(out):
        assert json.loads(cli("status", out, "--json").stdout)["running"] is True
    found = json.loads(cli("status", out, "--json").stdout)
    assert found["running"] is False
    assert found["campaigns"][0]["execs"] == 2000
    assert found["findings"][SIGNATURE]["count"] == 300


def test_no_campaign(cli: Cli, tmp_path: Path) -> None:
    expected = "expected the output folder of a campaign, found"
    for folder, found in (
        (tmp_path, "no campaign.sqlite in it"),
        (tmp_path / "no", "no such folder"),
    ):
        result = cli("status", folder)
        assert result.exit_code == 2
        assert result.stderr == f"vblkfuzz: {folder}: {expected} {found}\n"
