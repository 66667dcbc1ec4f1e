"""The import of users' inputs into the corpus."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vblkfuzz.errors import InputFileError
from vblkfuzz.scenario.artifact import Artifact, dump_artifact
from vblkfuzz.scenario.codec import MAX_BYTES, decode, encode
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.scenario.text import to_text
from vblkfuzz.store.corpus import import_folder

SCENARIO = Scenario(ops=(op("init", how="ok"), op("kick", queue=0)))


@pytest.fixture
def brought(tmp_path: Path) -> Path:
    folder = tmp_path / "brought"
    folder.mkdir()
    return folder


def imported(tmp_path: Path) -> tuple[list[str], dict[str, bytes]]:
    corpus = tmp_path / "corpus"
    corpus.mkdir(exist_ok=True)
    lines = list(import_folder(tmp_path / "brought", corpus, tmp_path / "quarantine"))
    return [line for line in lines if line], {
        path.name: path.read_bytes() for path in corpus.iterdir()
    }


def test_all_forms_become_raw_inputs(brought: Path, tmp_path: Path) -> None:
    (brought / "deep").mkdir()
    (brought / "deep" / "one.vblk").write_bytes(dump_artifact(Artifact(SCENARIO)))
    (brought / "two.toml").write_text(to_text(Scenario()))
    (brought / "raw").write_bytes(b"any \x00 bytes")
    problems, corpus = imported(tmp_path)
    assert problems == []
    expected = [encode(SCENARIO), encode(Scenario()), b"any \x00 bytes"]
    assert corpus == {
        hashlib.sha1(data, usedforsecurity=False).hexdigest(): data for data in expected
    }
    assert SCENARIO in map(decode, corpus.values())
    assert not (tmp_path / "quarantine").exists()


def test_files_that_are_no_inputs_are_skipped(brought: Path, tmp_path: Path) -> None:
    for name in ("README.md", "trace.txt", "verdict.json", ".gitignore", "Makefile", "fix.patch"):
        (brought / name).write_text("not an input")
    assert imported(tmp_path) == ([], {})


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bad.toml", b"format = 1\nops = [{op = 'dance'}]\n"),
        ("bad.vblk", b"\x00\x01 not an artifact"),
        ("empty.vblk", b""),
        ("big", bytes(MAX_BYTES + 1)),
    ],
)
def test_an_invalid_input_is_quarantined(
    brought: Path, tmp_path: Path, name: str, content: bytes
) -> None:
    (brought / name).write_bytes(content)
    (brought / "good").write_bytes(b"\x00")
    problems, corpus = imported(tmp_path)
    (problem,) = problems
    assert problem.startswith(str(brought / name))
    assert list(corpus.values()) == [b"\x00"]
    assert (brought / name).read_bytes() == content
    kept = {path.suffix == ".reason": path for path in (tmp_path / "quarantine").iterdir()}
    assert kept[False].read_bytes() == content
    assert kept[True].read_text() == problem + "\n"


def refusing(opened: Callable[..., Any]) -> Callable[..., Any]:
    """Open a file, unless it is `secret`: root may read any file."""

    def refuse(path: str | Path, *arguments: object, **more: object) -> object:
        if Path(path).name == "secret":
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *arguments, **more)

    return refuse


def test_a_file_that_may_not_be_read(
    brought: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (brought / "secret").write_bytes(b"x")
    for place, name in ((os, "open"), (Path, "open")):
        monkeypatch.setattr(place, name, refusing(getattr(place, name)))
    problems, corpus = imported(tmp_path)
    assert problems == [f"{brought / 'secret'}: expected a readable file: Permission denied"]
    assert corpus == {}


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="gone: expected a folder"):
        list(import_folder(tmp_path / "gone", tmp_path, tmp_path))


def test_importing_twice_changes_nothing(brought: Path, tmp_path: Path) -> None:
    (brought / "raw").write_bytes(b"\x00raw")
    assert imported(tmp_path) == imported(tmp_path)
