"""The file for ``fuzz --known``."""

from __future__ import annotations

from pathlib import Path

import pytest

from vblkfuzz.errors import InputFileError
from vblkfuzz.limits import MAX_ARTIFACT_BYTES
from vblkfuzz.store.known_file import read_known


def read(tmp_path: Path, data: bytes) -> tuple[str, ...]:
    path = tmp_path / "known"
    path.write_bytes(data)
    return read_known(path)


def test_one_signature_a_line(tmp_path: Path) -> None:
    data = b"# reported\n\n s1-reset-stop-* # in 8.1 too\r\ns8-start-twice\nl[12]-?\n"
    assert read(tmp_path, data) == ("s1-reset-stop-*", "s8-start-twice", "l[12]-?")
    assert read(tmp_path, b"") == ()


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"s1\ns2 s3\n", "known: line 2: expected one signature"),
        (b"S1\n", "known: line 1: expected one signature"),
        (b"s1\n\n../s1\n", "known: line 3: expected one signature"),
        (b"s1\ns\xff\n", "known: line 2: expected UTF-8"),
        (b"\n" * (MAX_ARTIFACT_BYTES + 1), "known: expected at most"),
    ],
)
def test_bad_files(tmp_path: Path, data: bytes, problem: str) -> None:
    with pytest.raises(InputFileError, match=problem):
        read(tmp_path, data)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="none: cannot be read"):
        read_known(tmp_path / "none")
    with pytest.raises(InputFileError, match="cannot be read"):
        read_known(tmp_path)
