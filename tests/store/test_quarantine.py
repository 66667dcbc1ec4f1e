"""The quarantine: nothing is copied, lost or replaced, whatever the names."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vblkfuzz.store.quarantine import Quarantine

NAMES = st.binary(min_size=1, max_size=250).filter(
    lambda name: b"/" not in name and b"\x00" not in name and name not in (b".", b"..")
)
"""Names that a file can have."""


def record_of(folder: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (folder / "record.jsonl").read_text().splitlines()]


def test_a_file_of_the_user_is_only_named(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_bytes(b"x")
    with Quarantine(tmp_path / "quarantine") as quarantine:
        quarantine.name(mine, "too bad")
    assert mine.read_bytes() == b"x"
    assert [path.name for path in (tmp_path / "quarantine").iterdir()] == ["record.jsonl"]
    assert record_of(tmp_path / "quarantine") == [{"path": str(mine), "reason": "too bad"}]


def test_without_a_problem_there_is_no_folder(tmp_path: Path) -> None:
    with Quarantine(tmp_path / "quarantine"):
        pass
    assert not (tmp_path / "quarantine").exists()


@given(names=st.lists(NAMES, min_size=1, max_size=5, unique=True))
@example(names=[b"\xff" * 250, b"\xff" * 249])
@example(names=[b"record.jsonl", b"a\nb", b"-2"])
def test_files_of_any_name_are_moved_and_found_again(names: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        corpus, kept = root / "corpus", root / "quarantine"
        for times in (1, 2):  # the same name a second time does not replace the first file
            corpus.mkdir(exist_ok=True)
            for name in names:
                (corpus / os.fsdecode(name)).write_bytes(name * times)
            with Quarantine(kept) as quarantine:
                for name in names:
                    quarantine.move(corpus / os.fsdecode(name), "cut off")
            assert list(corpus.iterdir()) == []
        found = [(kept / one["moved"]).read_bytes() for one in record_of(kept)]
        assert found == [name * times for times in (1, 2) for name in names]


def test_a_file_is_on_record_once(tmp_path: Path) -> None:
    for _ in range(2):
        with Quarantine(tmp_path) as quarantine:
            quarantine.name(Path("a"), "bad")
            quarantine.name(Path("b"), "bad")
    assert [one["path"] for one in record_of(tmp_path)] == ["a", "b"]


def test_a_record_that_was_cut_off_goes_on(tmp_path: Path) -> None:
    (tmp_path / "record.jsonl").write_bytes(b'{"path": "a", "rea')
    with Quarantine(tmp_path) as quarantine:
        quarantine.name(Path("b"), "bad")
    lines = (tmp_path / "record.jsonl").read_text().splitlines()
    assert json.loads(lines[1]) == {"path": "b", "reason": "bad"}


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "write", lambda _descriptor, _line: 1)
    with Quarantine(tmp_path) as quarantine, pytest.raises(OSError, match="the disk is full"):
        quarantine.name(Path("a"), "bad")
