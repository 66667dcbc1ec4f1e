"""Files of the corpus that libFuzzer could not write are written by the worker."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from vblkfuzz.campaign import kept_inputs
from vblkfuzz.campaign.kept_inputs import KeptInputs
from vblkfuzz.store.input_name import input_name


def test_only_files_that_are_there_are_kept(tmp_path: Path) -> None:
    said: list[str] = []
    kept = KeptInputs(tmp_path, said.append)
    assert not kept.has(b"never")
    (tmp_path / input_name(b"whole")).write_bytes(b"whole")
    assert kept.has(b"whole")
    assert said == []


@pytest.mark.parametrize("left", [b"", b"half"])
def test_half_a_file_is_written_again(tmp_path: Path, left: bytes) -> None:
    path = tmp_path / input_name(b"half of it")
    path.write_bytes(left)
    assert KeptInputs(tmp_path, print).has(b"half of it")
    assert path.read_bytes() == b"half of it"


def test_a_full_disk_is_said_once_and_mended_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    said: list[str] = []
    kept = KeptInputs(tmp_path, said.append)
    monkeypatch.setattr(kept_inputs, "write_file", full)
    inputs = [b"one", b"two"]
    for data in inputs:
        (tmp_path / input_name(data)).touch()
        kept.has(data)
    assert len(said) == 1
    assert "No space left" in said[0]
    monkeypatch.undo()
    (tmp_path / input_name(b"three")).write_bytes(b"three")
    kept.has(b"three")
    assert [(tmp_path / input_name(data)).read_bytes() for data in inputs] == inputs
