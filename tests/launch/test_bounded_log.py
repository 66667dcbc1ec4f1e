"""The log of a worker stays small, and what is in it is whole."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.launch.bounded_log import bound

KEPT = 100


@given(st.lists(st.binary(max_size=60).filter(lambda line: b"\n" not in line), max_size=60))
def test_begin_and_end_stay(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]) -> None:
    log = tmp_path_factory.mktemp("log") / "log"
    before = b"".join(line + b"\n" for line in lines)
    log.write_bytes(before)
    lost = bound(log, 3 * KEPT, KEPT)
    after = log.read_bytes()
    if len(before) <= 3 * KEPT:
        assert (lost, after) == (0, before)
        return
    begin, said, end = after.partition(b"--- %d bytes left out" % lost)
    assert said
    end = end.partition(b"\n")[2]
    assert before.startswith(begin)
    assert before.endswith(end)
    assert len(end) == KEPT >= len(begin)
    assert len(begin) + lost + len(end) == len(before)


def test_who_appends_goes_on(tmp_path: Path) -> None:
    """As a worker does that was given the file as its standard error."""
    log = tmp_path / "log"
    with log.open("ab", buffering=0) as worker:
        for number in range(10 * KEPT):
            worker.write(b"%d\n" % number)
            bound(log, 4 * KEPT, KEPT)
            assert os.stat(log).st_size <= 4 * KEPT
        worker.write(b"last\n")
    lines = log.read_text().splitlines()
    assert (lines[0], lines[-1]) == ("0", "last")
    assert sum(line.startswith("--- ") for line in lines) == 1, "the end holds no older one"


def test_one_endless_line(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"x" * 5 * KEPT)
    assert bound(tmp_path / "log", 4 * KEPT, KEPT) == 3 * KEPT
    assert (tmp_path / "log").read_bytes().count(b"\n") == 2
