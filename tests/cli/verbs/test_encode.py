"""`vblkfuzz encode`: any input as a .vblk file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.conftest import CLEAN, Cli
from vblkfuzz.scenario.artifact import Artifact, dump_artifact


def test_an_artifact_is_encoded_as_it_is(cli: Cli, finding: Path, tmp_path: Path) -> None:
    cli("encode", finding, "-o", tmp_path / "copy.vblk")
    assert (tmp_path / "copy.vblk").read_bytes() == finding.read_bytes()


class TestOutput:
    """What `encode` does with an existing output file."""

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
