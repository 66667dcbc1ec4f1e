"""The import of users' inputs into the corpus."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.store.test_quarantine import NAMES
from vblkfuzz.errors import InputFileError
from vblkfuzz.limits import MAX_ARTIFACT_BYTES
from vblkfuzz.scenario.artifact import Artifact, dump_artifact
from vblkfuzz.scenario.codec import MAX_BYTES, decode, encode
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.scenario.text import to_text
from vblkfuzz.store import atomic
from vblkfuzz.store.corpus import import_folder
from vblkfuzz.store.input_paths import maybe_below
from vblkfuzz.store.quarantine import Quarantine

SCENARIO = Scenario(ops=(op("init", how="ok"), op("kick", queue=0)))


@pytest.fixture
def brought(tmp_path: Path) -> Path:
    folder = tmp_path / "brought"
    folder.mkdir()
    return folder


def imported(tmp_path: Path) -> tuple[list[str], dict[str, bytes]]:
    corpus = tmp_path / "corpus"
    corpus.mkdir(exist_ok=True)
    with Quarantine(tmp_path / "quarantine") as quarantine:
        files = list(import_folder(tmp_path / "brought", corpus, quarantine))
    assert {one.total for one in files} <= {len(files)}
    return [one.problem for one in files if one.problem], {
        path.name: path.read_bytes() for path in corpus.iterdir()
    }


def record(tmp_path: Path) -> list[dict[str, str]]:
    text = (tmp_path / "quarantine" / "record.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


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
    assert record(tmp_path) == [{"path": str(brought / name), "reason": problem}]


def test_a_huge_file_is_neither_read_nor_copied(brought: Path, tmp_path: Path) -> None:
    """A sparse file of 3 GiB was copied whole."""
    with (brought / "huge").open("wb") as file:
        file.truncate(3 << 30)
    problems, _ = imported(tmp_path)
    assert problems == [f"{brought / 'huge'}: expected at most {MAX_ARTIFACT_BYTES} bytes"]
    assert [path.name for path in (tmp_path / "quarantine").iterdir()] == ["record.jsonl"]


def test_what_is_no_file(brought: Path, tmp_path: Path) -> None:
    (brought / "nowhere").symlink_to(tmp_path / "gone")
    (brought / "itself").symlink_to(brought / "itself")
    (brought / "back").symlink_to(brought)
    os.mkfifo(brought / "pipe")
    os.mkfifo(brought / "notes.txt")
    (brought / "terminal").symlink_to("/dev/null")
    (brought / "good").write_bytes(b"\x00")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(brought / "socket"))
        problems, corpus = imported(tmp_path)
    assert [line.removeprefix(f"{brought}/") for line in problems] == [
        "back: expected a file, found a link to a folder, which is not followed: "
        "name that folder itself",
        "itself: expected a readable file: Too many levels of symbolic links",
        "nowhere: expected a readable file: No such file or directory",
        "pipe: expected a file, found a named pipe (FIFO)",
        "socket: expected a file, found a socket",
        "terminal: expected a file, found a device",
    ]
    assert list(corpus.values()) == [b"\x00"]


@given(names=st.lists(NAMES, min_size=1, max_size=5, unique=True))
@example(names=[b"\xff" * 250, b"a\nb", b"\x1b[2J"])
def test_names_of_any_bytes(names: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "brought").mkdir()
        for name in names:
            (root / "brought" / os.fsdecode(name + b".vblk")).write_bytes(b"no artifact")
        problems, corpus = imported(root)
        shown = [name for name in names if not name.startswith(b".")]
        assert len(problems) == len(shown)
        assert not any("\n" in line for line in problems)
        assert corpus == {}
        if shown:
            paths = {os.fsencode(one["path"]) for one in record(root)}
            assert paths == {os.fsencode(root / "brought") + b"/" + n + b".vblk" for n in shown}


def refusing(opened: Callable[..., Any]) -> Callable[..., Any]:
    """Open a file, unless it is `secret`: root may read any file."""

    def refuse(path: str | Path, *arguments: object, **more: object) -> object:
        if Path(path).name == "secret":
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *arguments, **more)

    return refuse


def test_a_folder_that_may_not_be_listed(
    brought: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (brought / "secret").mkdir()
    (brought / "good").write_bytes(b"\x00")
    for name in ("scandir", "open"):
        monkeypatch.setattr(os, name, refusing(getattr(os, name)))
    problems, corpus = imported(tmp_path)
    assert problems == [f"{brought / 'secret'}: expected a readable file: Permission denied"]
    assert list(corpus.values()) == [b"\x00"]


def test_a_file_that_vanishes(
    brought: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.bin", "b.bin"):
        (brought / name).write_bytes(name.encode())
    found = maybe_below(brought)
    (brought / "a.bin").unlink()
    monkeypatch.setattr("vblkfuzz.store.corpus.maybe_below", lambda _folder: found)
    problems, corpus = imported(tmp_path)
    assert problems == [f"{brought / 'a.bin'}: expected a readable file: No such file or directory"]
    assert list(corpus.values()) == [b"b.bin"]


def test_a_file_that_may_not_be_read(
    brought: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (brought / "secret").write_bytes(b"x")
    monkeypatch.setattr(os, "open", refusing(os.open))
    problems, corpus = imported(tmp_path)
    assert problems == [f"{brought / 'secret'}: expected a readable file: Permission denied"]
    assert corpus == {}


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="gone: expected a folder"):
        list(import_folder(tmp_path / "gone", tmp_path, Quarantine(tmp_path)))


def test_importing_twice_changes_nothing(brought: Path, tmp_path: Path) -> None:
    (brought / "raw").write_bytes(b"\x00raw")
    assert imported(tmp_path) == imported(tmp_path)


def test_the_output_folder_of_another_campaign(brought: Path, tmp_path: Path) -> None:
    """Its corpus and findings, not the inputs that its harness or its disk could not take."""
    for name in ("corpus", "findings/s1", "harness", "log", "quarantine"):
        (brought / name).mkdir(parents=True)
        (brought / name / "input.bin").write_bytes(name.encode())
    (brought / "campaign.sqlite").write_bytes(b"")
    problems, corpus = imported(tmp_path)
    assert problems == []
    assert sorted(corpus.values()) == [b"corpus", b"findings/s1"]


def test_an_import_that_is_stopped_leaves_nothing(brought: Path, tmp_path: Path) -> None:
    for number in range(3):
        (brought / f"{number}.bin").write_bytes(bytes([number]))
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    files = import_folder(brought, corpus, Quarantine(tmp_path / "quarantine"))
    next(files)
    assert len(list(corpus.iterdir())) == 1
    files.close()
    assert list(corpus.iterdir()) == []


def test_all_inputs_are_on_the_disk_before_one_has_its_name(
    brought: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        (brought / f"{number}.bin").write_bytes(bytes([number]))
    steps: list[str] = []

    def synced(_descriptor: int) -> None:
        steps.append("sync")

    def renamed(old: str, new: str, rename: Callable[..., None] = os.replace) -> None:
        steps.append("rename")
        rename(old, new)

    monkeypatch.setattr(atomic, "_sync_disk_of", synced)
    monkeypatch.setattr(os, "replace", renamed)
    imported(tmp_path)
    assert steps == ["sync", "rename", "rename", "rename"]


def test_an_input_that_was_cut_off_is_mended(brought: Path, tmp_path: Path) -> None:
    (brought / "one.bin").write_bytes(b"whole")
    _, corpus = imported(tmp_path)
    (name,) = corpus
    (tmp_path / "corpus" / name).write_bytes(b"")
    assert imported(tmp_path)[1] == {name: b"whole"}
