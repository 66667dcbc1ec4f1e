"""The time limit counts its seconds, but not the pauses between two checks."""

from __future__ import annotations

import pytest

from vblkfuzz.process import patience
from vblkfuzz.process.patience import SLICE_S, Patience


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(patience, "time", clock)
    return clock


def test_it_ends_after_its_seconds(clock: Clock) -> None:
    limit = Patience(2.0)
    checks = 0
    while not limit.over:
        clock.now += SLICE_S
        checks += 1
    assert 2.0 / SLICE_S <= checks <= 2.0 / SLICE_S + 2


def test_a_pause_counts_as_two_slices_at_most(clock: Clock) -> None:
    limit = Patience(2.0)
    clock.now += 3600
    assert not limit.over
    clock.now += SLICE_S
    assert not limit.over


def test_pauses_do_not_make_it_endless(clock: Clock) -> None:
    limit = Patience(2.0)
    for _ in range(100):
        clock.now += 3600
        if limit.over:
            return
    pytest.fail("it did not end")
