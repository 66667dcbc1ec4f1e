"""The output folder: one campaign at a time; unfinished files of killed workers are removed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vblkfuzz.errors import HarnessError, UsageError
from vblkfuzz.store.folder import claimed


def test_one_at_a_time(tmp_path: Path) -> None:
    with claimed(tmp_path):
        with pytest.raises(UsageError, match="another campaign"), claimed(tmp_path):
            pass
        assert (tmp_path / "log" / "lock").read_text() == f"{os.getpid()}\n"
    with claimed(tmp_path):
        pass


def test_unfinished_files_of_a_killed_worker_are_removed(tmp_path: Path) -> None:
    (tmp_path / "findings" / ".tmp-1").mkdir(parents=True)
    (tmp_path / "findings" / ".tmp-1" / "trace.txt").touch()
    (tmp_path / "findings" / ".tmp-1" / ".tmp-4").touch()
    (tmp_path / "findings" / "s1").mkdir()
    (tmp_path / "findings" / "s1" / ".tmp-3").touch()
    (tmp_path / ".tmp-4").touch()
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / ".tmp-2").touch()
    (tmp_path / "corpus" / "input").touch()
    with claimed(tmp_path):
        left = {path.name for path in tmp_path.glob("*/*")}
        inside = list((tmp_path / "findings" / "s1").iterdir())
    assert (left, inside) == ({"s1", "input", "lock"}, [])
    assert not (tmp_path / ".tmp-4").exists()


def test_a_full_disk_is_noticed_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(HarnessError, match="No space left"), claimed(tmp_path):
        pass
