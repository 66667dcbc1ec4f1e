"""`--coverage` of `fuzz` and `ci`: what a real device reaches of its own code, and where."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.targets.qsd.binary import NEEDS_QSD
from vblkfuzz.cli.views.fuzz_status import status_block, status_lines
from vblkfuzz.cli.views.fuzz_summary import say_summary
from vblkfuzz.store.history import LEDGER, read_history
from vblkfuzz.store.ledger import Ledger
from vblkfuzz.store.reach import Reach
from vblkfuzz.store.summary import Summary
from vblkfuzz.targets.options import NO_OPTIONS

COUNT = "1,204 of 22,763 functions"
REACH = Reach("functions", 1204, 22763)


def test_the_screen_and_the_log_count_them() -> None:
    summary = Summary(execs=1, reach=REACH)
    row = "  functions     1,204  of 22,763 functions of the device reached"
    assert row in status_block(summary, 60, 1)
    assert f"    {COUNT} of the device reached" in status_lines(summary, 60, 1)
    edges = status_block(Summary(execs=1, reach=Reach("edges", 4425)), 60, 1)
    assert "  edges         4,425  edges of the device reached" in edges
    assert not any("device reached" in line for line in status_block(Summary(execs=1), 60, 1))


def test_the_summary_counts_them(capsys: pytest.CaptureFixture[str]) -> None:
    filled = Summary(execs=1, features=7, reach=REACH)
    say_summary(filled, "qemu", "virtio-blk-pci", NO_OPTIONS, Path("out"))
    assert f"7 features, {COUNT}," in " ".join(capsys.readouterr().out.split())


def test_status_counts_them(cli: Cli, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / LEDGER)
    for reach in (Reach("functions", 3, 22763), REACH):
        ledger.begin("2026-01-01T00:00:00+00:00", "virtio-blk-pci", "processes", 2, 7, "qemu")
        ledger.reach(Reach("functions", 1, 22763))
        ledger.reach(reach)
    ledger.begin("2026-01-01T00:00:00+00:00", "virtio-blk-pci", "processes", 2, 7, "qemu")
    ledger.close()
    assert f"device    {COUNT} reached" in cli("status", tmp_path).stdout
    records = read_history(tmp_path / LEDGER).campaigns
    assert [one.reach.reached for one in records] == [3, 1204, 0]


@pytest.mark.parametrize("verb", ["fuzz", "ci"])
def test_the_model_has_no_process_to_watch(cli: Cli, verb: str, tmp_path: Path) -> None:
    result = cli(verb, "--coverage", "functions", "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "--coverage functions: for real devices; the model is always covered" in result.stderr


@pytest.mark.realdevice
@NEEDS_QSD
def test_a_campaign_on_a_daemon(cli: Cli, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["--target", "qsd", "--runs", 4, "--seed", 1, "--workers", 1, "--no-minimize"]
    result = cli("fuzz", *map(str, words), "--coverage", "functions", "--out", out, "--json")
    end = json.loads(result.stdout.splitlines()[-1])
    assert 500 < end["reached"] < end["reachable"]
    assert end["features"] > end["reached"]
    found = re.search(r"device +([\d,]+) of ([\d,]+) functions reached", cli("status", out).stdout)
    assert found is not None
    assert found[1] == f"{end['reached']:,}"


@pytest.mark.realdevice
@NEEDS_QSD
def test_a_job_on_a_daemon(cli: Cli, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["--target", "qsd", "--runs", "2", "--seed", "1", "--workers", "1", "--budget", "1h"]
    cli("ci", *words, "--coverage", "functions", "--out", out)
    (record,) = read_history(out / LEDGER).campaigns
    assert (record.reach.kind, record.reach.reached > 500) == ("functions", True)


@pytest.mark.realdevice
@NEEDS_QSD
def test_a_daemon_that_was_not_built_for_edges_runs_without(cli: Cli, tmp_path: Path) -> None:
    words = ["--target", "qsd", "--runs", 2, "--seed", 1, "--workers", 1, "--no-minimize"]
    result = cli("fuzz", *map(str, words), "--coverage", "edges", "--out", tmp_path / "out")
    said = " ".join(result.stderr.split())
    assert "no coverage of the device: the device writes no edges" in said
    assert "2 executions" in result.stdout
