"""Files and folders are written completely or not at all."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from vblkfuzz.store.atomic import write_file, write_folder


@contextmanager
def no_more_room(size: int) -> Iterator[None]:
    """Limit files to `size` bytes, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_file_is_written(tmp_path: Path) -> None:
    write_file(tmp_path / "a", b"one")
    write_file(tmp_path / "a", b"two")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"two"}


def test_a_file_that_does_not_fit_changes_nothing(tmp_path: Path) -> None:
    write_file(tmp_path / "a", b"old")
    with no_more_room(16), pytest.raises(OSError, match="File too large"):
        write_file(tmp_path / "a", bytes(17))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"old"}


def test_permissions_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        write_file(tmp_path / "a", b"")
        write_folder(tmp_path / "b", {"c": b""})
    finally:
        os.umask(before)
    modes = [(tmp_path / name).stat().st_mode & 0o777 for name in ("a", "b", "b/c")]
    assert modes == [0o644, 0o755, 0o644]


def test_a_folder_is_written_once(tmp_path: Path) -> None:
    assert write_folder(tmp_path / "f", {"a": b"1", "b": b"2"})
    assert not write_folder(tmp_path / "f", {"a": b"other"})
    assert {path.name: path.read_bytes() for path in (tmp_path / "f").iterdir()} == {
        "a": b"1",
        "b": b"2",
    }
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_a_folder_that_does_not_fit_is_not_there(tmp_path: Path) -> None:
    with no_more_room(16), pytest.raises(OSError, match="File too large"):
        write_folder(tmp_path / "f", {"a": b"1", "b": bytes(17)})
    assert not list(tmp_path.iterdir())


def test_an_interrupted_write_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_fd: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_folder(tmp_path / "f", {"a": b"1"})
    assert not list(tmp_path.iterdir())


def test_of_many_writers_one_wins(tmp_path: Path) -> None:
    def write(content: int) -> bool:
        data = str(content).encode()
        return write_folder(tmp_path / "f", {"a": data, "b": data})

    with ThreadPoolExecutor(8) as pool:
        wins = list(pool.map(write, range(40)))
    assert sum(wins) == 1
    winner = str(wins.index(True)).encode()
    assert [path.read_bytes() for path in sorted((tmp_path / "f").iterdir())] == [winner] * 2
    assert [path.name for path in tmp_path.iterdir()] == ["f"]
