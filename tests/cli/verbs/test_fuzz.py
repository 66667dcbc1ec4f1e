"""`vblkfuzz fuzz`: the effect of its options. For the ends of campaigns see tests/campaign."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli


def test_a_short_campaign(cli: Cli, tmp_path: Path) -> None:
    options = ("--runs", "50", "--workers", "1", "--seed", "3", "--mode", "inline", "--json")
    result = cli("fuzz", *options, "--out", tmp_path / "out")
    assert result.exit_code in (0, 77)
    summary = json.loads(result.stdout.splitlines()[-1])
    assert summary["execs"] == 50
    assert bool(summary["findings"]) == (result.exit_code == 77)
    assert (tmp_path / "out" / "campaign.sqlite").exists()


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--device", "nonsense"), "device nonsense: expected qemu-8.0"),
        (("--target", "nonsense"), "target nonsense: expected one of model"),
        (("--without", "vm_stop"), "--without: no operation 'vm_stop'; all of them: vblkfuzz list"),
        (("--target", "qemu", "--defect", "push_twice"), "--defect: defects are planted in the"),
    ],
)
def test_what_cannot_be_done(
    cli: Cli, tmp_path: Path, options: tuple[str, ...], problem: str
) -> None:
    result = cli("fuzz", "--out", tmp_path / "out", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"vblkfuzz: {problem}")
    assert not (tmp_path / "out").exists()
