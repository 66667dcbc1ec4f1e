"""`--defect`: `fuzz` and `replay` plant it, and the device's name has it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import CLEAN, Cli
from vblkfuzz.scenario.artifact import Artifact, dump_artifact, read_input
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario

FLUSH = Scenario(ops=(op("init"), op("publish_kick", request="flush")))
REFERENCE = ("--device", "reference", "--mode", "inline", "--json")


def write(path: Path, scenario: Scenario, device: str = "patch-v4") -> Path:
    path.write_bytes(dump_artifact(Artifact(scenario, device=device)))
    return path


@pytest.mark.parametrize("defects", [(), ("push_twice",), ("no_selfkick", "push_twice")])
def test_replay(cli: Cli, tmp_path: Path, defects: tuple[str, ...]) -> None:
    options = [word for defect in defects for word in ("--defect", defect)]
    result = cli("replay", write(tmp_path / "x.vblk", FLUSH), *REFERENCE, *options)
    assert result.exit_code == (77 if defects else 0)
    assert json.loads(result.stdout)["device"] == "+".join(("reference", *defects))


def test_replay_of_an_input_that_names_defects(cli: Cli, tmp_path: Path) -> None:
    path = write(tmp_path / "x.vblk", FLUSH, "reference+push_twice")
    assert cli("replay", path, "--mode", "inline").exit_code == 77


@pytest.mark.parametrize("verb", [("fuzz", "--runs", "1"), ("replay",)])
def test_no_such_defect(cli: Cli, tmp_path: Path, verb: tuple[str, ...]) -> None:
    where = ("--out", tmp_path) if verb[0] == "fuzz" else (write(tmp_path / "x.vblk", CLEAN),)
    result = cli(*verb, *where, *REFERENCE, "--defect", "nonsense")
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert "defect nonsense: no such defect" in result.stderr


def test_a_class_of_the_user(cli: Cli, tmp_path: Path) -> None:
    device = tmp_path / "mine.py"
    device.write_text(
        "from vblkfuzz.dataplane.virtio_blk import VirtioBlk\nclass Mine(VirtioBlk): pass\n"
    )
    path = write(tmp_path / "x.vblk", FLUSH)
    options = ("--device", f"{device}:Mine", "--mode", "inline")
    assert cli("replay", path, *options).exit_code == 0
    assert cli("replay", path, *options, "--defect", "push_twice").exit_code == 77


def test_fuzz_finds_it_and_the_finding_replays(cli: Cli, tmp_path: Path) -> None:
    limits = ("--runs", "3000", "--workers", "1", "--seed", "1", "--stop-on-first", "--no-minimize")
    result = cli("fuzz", "--out", tmp_path / "out", *limits, *REFERENCE, "--defect", "attach_twice")
    assert result.exit_code == 77
    finding = next((tmp_path / "out" / "findings").rglob("finding.vblk"))
    assert read_input(finding).device == "reference+attach_twice"
    assert cli("replay", finding).exit_code == 77
