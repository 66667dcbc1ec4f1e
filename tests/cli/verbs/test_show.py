"""`vblkfuzz show`: any input as text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given

from tests.cli.conftest import CLEAN, Cli
from tests.strategies import artifacts
from vblkfuzz.cli.verbs.show import text_of
from vblkfuzz.scenario.artifact import Artifact, read_input
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
