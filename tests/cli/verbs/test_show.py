"""`vblkfuzz show`: any input as text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given

from tests.cli.conftest import CLEAN, Cli
from tests.strategies import artifacts
from vblkfuzz.cli.verbs.show import text_of
from vblkfuzz.oracle.judge import RULES
from vblkfuzz.scenario.artifact import Artifact, read_input
from vblkfuzz.scenario.codec import encode
from vblkfuzz.scenario.text import read_text, to_text


@given(artifacts())
def test_text_says_all_that_it_can(artifact: Artifact) -> None:
    shown = read_text(text_of(artifact), "x")
    assert shown.scenario == artifact.scenario
    assert shown.expectation == artifact.expectation
    assert shown.on == (artifact.device if artifact.expectation else "")


def test_the_rest_is_a_comment(cli: Cli, finding: Path, bug: Artifact) -> None:
    result = cli("show", finding)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[:3] == [
        "# target model, device patch-v4, mode inline",
        f"# trace digest {bug.trace_digest}",
        "# made by vblkfuzz 0.1.0",
    ]


def test_a_rule_is_explained(cli: Cli) -> None:
    result = cli("show", "s13")
    assert result.exit_code == 0
    shown = result.stdout
    assert shown.startswith("S13: A queue that depends on kicks has them enabled.\n")
    assert "  source    virtio 1.2, 2.7.10; QEMU virtio_queue_set_notification\n" in shown
    assert "  asked on  model\n" in shown
    assert "\n  polling_ended\n      Polling of a queue ended.\n" in shown
    assert "\n  enable_no_recheck\n" in shown


@pytest.mark.parametrize("rule", [rule.id for rule in RULES])
def test_every_rule_fits_a_terminal(cli: Cli, rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")
    shown = re.sub(r"\x1b\[[0-9;]*m", "", cli("show", rule).stdout)
    assert max(map(len, shown.splitlines())) <= 80


def test_a_rule_that_there_is_not(cli: Cli) -> None:
    result = cli("show", "S133")
    assert result.exit_code == 2
    said = "vblkfuzz: S133: no such rule; all of them: vblkfuzz list rules; did you mean S33?\n"
    assert result.stderr == said


def test_a_file_with_the_name_of_a_rule(
    cli: Cli, clean: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(clean.parent)
    clean.rename("S13")
    assert "format = 1" in cli("show", "S13").stdout


def test_a_raw_input(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "odd"
    path.write_bytes(encode(CLEAN))
    result = cli("show", path)
    assert to_text(CLEAN) in result.stdout
    assert result.stderr == f"vblkfuzz: {path}: read as a raw fuzz input of 16 bytes\n"
    assert cli("show", path.rename(tmp_path / "input.bin")).stderr == ""


def test_there_and_back(cli: Cli, finding: Path, bug: Artifact, tmp_path: Path) -> None:
    text, artifact = tmp_path / "x.toml", tmp_path / "x.vblk"
    text.write_text(cli("show", finding).stdout)
    result = cli("encode", text, "-o", artifact)
    assert (result.exit_code, result.output) == (0, "")
    again = read_input(artifact)
    assert (again.scenario, again.expectation) == (bug.scenario, bug.expectation)
    assert cli("show", artifact).stdout == cli("show", text).stdout


@pytest.mark.parametrize("verb", ["show", "encode"])
def test_a_file_that_cannot_be_read(cli: Cli, bad: Path, tmp_path: Path, verb: str) -> None:
    output = tmp_path / "x.vblk"
    result = cli(verb, bad, *(("-o", output) if verb == "encode" else ()))
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith(f"vblkfuzz: {bad}: ops[0].op: expected one of init,")
    assert result.stderr.count("\n") == 1
    assert not output.exists()


def test_a_newer_version(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(to_text(CLEAN).replace("format = 1", "format = 2"))
    result = cli("show", path)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"vblkfuzz: {path}: format: expected")
