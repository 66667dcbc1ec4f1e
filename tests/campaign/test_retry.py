"""When a worker is started again: at once if it works, seldom if it does not, and always."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.campaign.retry import FIRST_S, LONGEST_S, next_wait

LIVES = st.lists(st.booleans(), min_size=1, max_size=200)
"""For each life of a worker, whether it gave a verdict."""


def waits(lives: list[bool]) -> list[float]:
    found: list[float] = []
    for worked in lives:
        found.append(next_wait(found[-1] if found else 0.0, worked=worked))
    return found


@given(LIVES)
def test_a_wait_is_never_longer_than_a_minute_nor_shorter_than_a_second(lives: list[bool]) -> None:
    assert all(FIRST_S <= wait <= LONGEST_S for wait in waits(lives))


@given(LIVES)
def test_who_has_worked_is_back_after_a_second(lives: list[bool]) -> None:
    pairs = zip(lives, waits(lives), strict=True)
    assert all(wait == FIRST_S for worked, wait in pairs if worked)


@given(LIVES)
def test_who_fails_again_waits_no_less(lives: list[bool]) -> None:
    found = waits(lives)
    for worked, before, wait in zip(lives[1:], found, found[1:], strict=False):
        assert worked or wait >= before


def test_failures_in_a_row() -> None:
    assert waits([False] * 9) == [1, 2, 4, 8, 16, 32, 60, 60, 60]


@given(st.sampled_from([0.0, 1.0, LONGEST_S]))
def test_who_has_worked_and_was_killed_is_back_at_once(last_s: float) -> None:
    assert next_wait(last_s, worked=True, killed=True) == 0
    assert next_wait(last_s, worked=False, killed=True) >= FIRST_S
