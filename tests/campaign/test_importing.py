"""What the user is told of the import of ``--corpus``."""

from __future__ import annotations

from pathlib import Path

from vblkfuzz.campaign.importing import Importing
from vblkfuzz.launch.plan import Message


class Clock:
    """Each look takes a second."""

    def __init__(self) -> None:
        self._now = 0.0

    def __call__(self) -> float:
        self._now += 1
        return self._now


def told(tmp_path: Path, *folders: Path) -> list[str]:
    (tmp_path / "out" / "corpus").mkdir(parents=True, exist_ok=True)
    messages: list[Message] = []
    Importing(tmp_path / "out", messages.append, lambda: "", Clock()).run(folders)
    return [f"{one.kind}: {one.name}" for one in messages]


def folder_of(tmp_path: Path, files: int, suffix: str, data: bytes) -> Path:
    folder = tmp_path / "brought"
    folder.mkdir()
    for number in range(files):
        (folder / f"{number:02}{suffix}").write_bytes(data)
    return folder


def test_many_problems_do_not_flood_the_screen(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, 50, ".vblk", b"?")
    lines = [line for line in told(tmp_path, folder) if line.startswith("quarantined")]
    record = tmp_path / "out" / "quarantine" / "record.jsonl"
    assert len(lines) == 21
    assert lines[-1] == f"quarantined: 30 more files, all named in {record}"
    assert len(record.read_text().splitlines()) == 50


def test_a_long_import_says_how_far_it_is(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, 12, ".bin", b"\x00")
    assert told(tmp_path, folder) == [
        f"corpus: {folder}: {done} of 12 files imported" for done in (5, 10)
    ]


def test_a_folder_that_is_given_twice(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, 1, ".vblk", b"?")
    assert len(told(tmp_path, folder, tmp_path / "brought" / ".." / "brought")) == 1


def test_a_folder_without_inputs(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert told(tmp_path, tmp_path / "empty") == [f"corpus: {tmp_path / 'empty'}: no inputs"]


def test_what_was_taken_when_it_is_cut_short_is_kept_and_counted(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, 0, "", b"")
    for number in range(5):
        (folder / f"{number}.bin").write_bytes(bytes([number]))
    (tmp_path / "out" / "corpus").mkdir(parents=True)
    messages: list[Message] = []
    looks = iter(["", "", *["stopped"] * 9])
    (tmp_path / "other").mkdir()
    other = tmp_path / "other" / "one.bin"
    other.write_bytes(b"x")
    importing = Importing(tmp_path / "out", messages.append, lambda: next(looks))
    importing.run([folder, other.parent])
    assert [one.name for one in messages] == [
        f"{folder}: 2 of 5 files imported, stopped",
        f"{other.parent}: nothing imported, stopped",
    ]
    corpus = (tmp_path / "out" / "corpus").iterdir()
    assert {path.read_bytes() for path in corpus} == {b"\0", b"\1"}
