"""`vblkfuzz show` and `vblkfuzz encode`: one input, two forms."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given

from tests.cli.conftest import CLEAN, Cli
from tests.strategies import artifacts
from vblkfuzz.cli.verbs.show import text_of
from vblkfuzz.scenario.artifact import Artifact, dump_artifact, read_input
from vblkfuzz.scenario.text import read_text, to_text


@given(artifacts())
def test_text_says_all_that_it_can(artifact: Artifact) -> None:
    said = read_text(text_of(artifact), "x")
    assert said.scenario == artifact.scenario
    assert said.expectation == artifact.expectation
    assert said.on == (artifact.device if artifact.expectation else "")


def test_the_rest_is_a_comment(cli: Cli, finding: Path, bug: Artifact) -> None:
    result = cli("show", finding)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[:3] == [
        "# target model, device seed, mode inline",
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


def test_an_artifact_is_encoded_as_it_is(cli: Cli, finding: Path, tmp_path: Path) -> None:
    cli("encode", finding, "-o", tmp_path / "copy.vblk")
    assert (tmp_path / "copy.vblk").read_bytes() == finding.read_bytes()


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


class TestOutput:
    """What `encode` does to the file it writes."""

    def test_the_same_content_is_no_error(self, cli: Cli, clean: Path, tmp_path: Path) -> None:
        output = tmp_path / "x.vblk"
        assert cli("encode", clean, "-o", output).exit_code == 0
        assert cli("encode", clean, "-o", output).exit_code == 0

    def test_other_content_is_kept(self, cli: Cli, clean: Path, tmp_path: Path) -> None:
        output = tmp_path / "x.vblk"
        output.write_bytes(b"precious")
        result = cli("encode", clean, "-o", output)
        assert result.exit_code == 2
        assert result.stderr == (
            f"vblkfuzz: {output}: exists with other content; --force replaces it\n"
        )
        assert output.read_bytes() == b"precious"

    def test_force(self, cli: Cli, clean: Path, tmp_path: Path) -> None:
        output = tmp_path / "x.vblk"
        output.write_bytes(b"old")
        assert cli("encode", clean, "-o", output, "--force").exit_code == 0
        assert output.read_bytes() == dump_artifact(Artifact(CLEAN))

    @pytest.mark.parametrize("name", ["x.toml", "x", "gone/x.vblk"])
    def test_a_name_that_cannot_be(self, cli: Cli, clean: Path, tmp_path: Path, name: str) -> None:
        result = cli("encode", clean, "-o", tmp_path / name)
        assert result.exit_code == 2
        assert result.stderr.startswith(f"vblkfuzz: {tmp_path / name}: ")
        assert result.stderr.count("\n") == 1

    def test_a_folder(self, cli: Cli, clean: Path, tmp_path: Path) -> None:
        (tmp_path / "x.vblk").mkdir()
        assert cli("encode", clean, "-o", tmp_path / "x.vblk").exit_code == 2

    def test_a_write_that_fails_leaves_nothing(
        self, cli: Cli, clean: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(fd: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        result = cli("encode", clean, "-o", tmp_path / "x.vblk")
        assert result.exit_code == 2
        assert "x.vblk: cannot be written: No space left on device\n" in result.stderr
        assert os.listdir(tmp_path) == [clean.name]
