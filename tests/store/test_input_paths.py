"""Which files below a folder are inputs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import BUG
from vblkfuzz.errors import InputFileError
from vblkfuzz.scenario.artifact import Artifact, dump_artifact, read_input_file
from vblkfuzz.scenario.codec import encode
from vblkfuzz.scenario.text import to_text
from vblkfuzz.store.input_paths import input_paths

SHA1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709"
RAW = encode(BUG)
ARTIFACT = dump_artifact(Artifact(BUG))
TEXT = to_text(BUG).encode()


def paths(folder: Path, files: dict[str, bytes]) -> list[str]:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return [str(path.relative_to(folder)) for path in input_paths(folder)]


def test_inputs_of_every_form(tmp_path: Path) -> None:
    files = {
        f"corpus/{SHA1}": b"",
        f"corpus/{SHA1[::-1]}": b"may look like text",
        f"crash-{SHA1}": RAW,
        f"oom-{SHA1}": RAW,
        "a.vblk": ARTIFACT,
        "b.toml": TEXT,
        "broken.toml": b"?",
        "broken.vblk": b"",
        "c.bin": RAW,
        f"timeout-{SHA1}": RAW,
        "whatever": RAW,
    }
    assert paths(tmp_path, files) == sorted(files)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("README.md", b"# Inputs"),
        ("why.txt", RAW),
        ("campaign.sqlite", b"SQLite format 3\x00"),
        ("Makefile", b"all: replay\n"),
        ("LICENSE", b"x" * 100_000),
        ("fix.patch", b"--- a\n+++ b\n"),
        (".git/index", b"DIRC\x00\x00"),
        (".gitignore", b"*"),
        ("deep/.hidden", RAW),
        ("history.jsonl", b""),
    ],
)
def test_what_is_no_input(tmp_path: Path, name: str, data: bytes) -> None:
    assert paths(tmp_path, {name: data, "a": RAW}) == ["a"]


def test_a_finding_counts_once(tmp_path: Path) -> None:
    files = {"input.bin": RAW, "scenario.toml": TEXT, "trace.txt": b"", "verdict.json": b"{}"}
    assert paths(tmp_path / "lost", files) == ["input.bin", "scenario.toml"]
    assert paths(tmp_path / "whole", {**files, "finding.vblk": ARTIFACT}) == ["finding.vblk"]
    files = {"minimized.vblk": ARTIFACT, "minimized.toml": TEXT}
    assert paths(tmp_path / "whole", files) == ["minimized.vblk"]


def test_a_raw_input_may_be_empty(tmp_path: Path) -> None:
    """LibFuzzer makes one; its name is that of no bytes."""
    names = ["crash-da39a3ee5e6b4b0d3255bfef95601890afd80709", "input.bin"]
    assert paths(tmp_path, dict.fromkeys(names, b"")) == names


def test_a_file_that_is_empty_by_mistake(tmp_path: Path) -> None:
    (tmp_path / "history.jsonl").touch()
    with pytest.raises(InputFileError, match="expected an input, found an empty file"):
        read_input_file(tmp_path / "history.jsonl")
    (tmp_path / "input.bin").touch()
    assert read_input_file(tmp_path / "input.bin").raw == b""
