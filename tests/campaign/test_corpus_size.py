"""The number of inputs of a corpus: never old, and counted in a small share of the time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vblkfuzz.campaign.corpus_size import CorpusSize


class Clock:
    """A clock that a test sets; a look at it takes `cost_s`."""

    def __init__(self, cost_s: float) -> None:
        self.now, self._cost_s = 0.0, cost_s

    def __call__(self) -> float:
        self.now += self._cost_s
        return self.now


def test_it_is_right_after_each_input(tmp_path: Path) -> None:
    size = CorpusSize(tmp_path, Clock(0))
    for number in range(20):
        assert size.count()
        assert size.inputs == number
        (tmp_path / str(number)).touch()


def test_a_change_within_a_tick_of_the_clock_of_files(tmp_path: Path) -> None:
    size = CorpusSize(tmp_path, Clock(0))
    (tmp_path / "a").touch()
    os.utime(tmp_path, ns=(1, 1))
    assert (size.count(), size.inputs) == (True, 1)
    (tmp_path / "b").touch()
    os.utime(tmp_path, ns=(1, 1))
    assert (size.count(), size.inputs) == (True, 2)


def test_a_folder_that_stays_the_same_is_not_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = CorpusSize(tmp_path, Clock(0))
    assert size.count()
    assert size.count()
    monkeypatch.setattr(os, "listdir", lambda _folder: pytest.fail("it was listed"))
    assert size.count()


def test_a_folder_that_is_slow_is_counted_in_a_hundredth_of_the_time(tmp_path: Path) -> None:
    clock = Clock(1.0)
    size = CorpusSize(tmp_path, clock)
    assert size.count()
    (tmp_path / "a").touch()
    os.utime(tmp_path, ns=(1, 1))
    assert (size.count(), size.inputs) == (False, 0), "it does not claim to know"
    assert (size.count(final=True), size.inputs) == (True, 1)
    (tmp_path / "b").touch()
    os.utime(tmp_path, ns=(2, 2))
    clock.now += 100
    assert (size.count(), size.inputs) == (True, 2)


def test_a_folder_that_is_gone_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    size = CorpusSize(tmp_path / "corpus", Clock(0))
    assert (size.count(), size.problem) == (True, "")
    (tmp_path / "corpus").rmdir()
    assert (size.count(), size.count(final=True)) == (False, False)
    assert size.problem == f"{tmp_path / 'corpus'}: No such file or directory"
