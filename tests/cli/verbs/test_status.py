"""`vblkfuzz status`: the progress of a campaign."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Cli
from tests.cli.verbs.conftest import SIGNATURE
from vblkfuzz.store.folder import claimed


def test_an_ended_campaign(cli: Cli, out: Path) -> None:
    result = cli("status", out)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "2026-01-02T03:04:05+00:00  ended"
    assert "  so far    2,000 executions in 10.0 s" in lines
    assert f"1 finding: vblkfuzz triage {out}" in lines
    assert lines[-1].startswith("never met, so their rules were hardly tested: ")


def test_a_running_campaign(cli: Cli, out: Path) -> None:
    with claimed(out):
        assert json.loads(cli("status", out, "--json").stdout)["running"] is True
    found = json.loads(cli("status", out, "--json").stdout)
    assert found["running"] is False
    assert found["campaigns"][0]["execs"] == 2000
    assert found["findings"][SIGNATURE]["count"] == 300


def test_no_campaign(cli: Cli, tmp_path: Path) -> None:
    result = cli("status", tmp_path)
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
