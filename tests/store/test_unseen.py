"""Good-Turing and Chao1: examples computed by hand, and what holds for all counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.feedback.incidence import Incidence
from vblkfuzz.store.unseen import NOTHING_NOTED, Unseen

COUNTS = st.lists(st.integers(1, 6), max_size=20)
"""Executions that had each feature."""


def of_counts(counts: list[int]) -> Unseen:
    executions = max(counts, default=0)
    noted = Incidence()
    for number in range(executions):
        noted.note(sum(1 << at for at, count in enumerate(counts) if number < count))
    return Unseen.of(noted)


@pytest.mark.parametrize(
    ("counts", "discovery", "left"),
    [
        # 5 executions; 3 features in one, 2 in two, 1 in all: 3/5, and 9/(2*2).
        ([1, 1, 1, 2, 2, 5], 0.6, 2.25),
        # No doubletons, 4 executions: 3/4, and 3*2/2.
        ([1, 1, 1, 4], 0.75, 3.0),
        # One singleton and no doubleton: 1/3, and 1*0/2.
        ([1, 3], 1 / 3, 0.0),
        ([2, 3, 6], 0.0, 0.0),
    ],
)
def test_by_hand(counts: list[int], discovery: float, left: float) -> None:
    found = of_counts(counts)
    assert (found.discovery, found.left) == (discovery, left)


def test_nothing_noted_is_nothing_known() -> None:
    assert (NOTHING_NOTED.discovery, NOTHING_NOTED.left, NOTHING_NOTED.words) == (1.0, 0.0, "")


@given(COUNTS)
def test_no_estimate_is_below_what_was_seen(counts: list[int]) -> None:
    found = of_counts(counts)
    assert found.features == len(counts)
    assert found.features + found.left >= found.features
    assert found.discovery >= 0


@given(st.lists(st.integers(2, 6), max_size=20))
def test_if_all_were_seen_twice_none_is_unseen(counts: list[int]) -> None:
    found = of_counts(counts)
    assert found.left == found.once == 0
    assert found.discovery == (0 if counts else 1)


@given(st.integers(1, 10**6), st.integers(0, 500), st.integers(0, 500), st.integers(0, 500))
def test_more_singletons_never_mean_less_unseen(
    executions: int, once: int, twice: int, more: int
) -> None:
    seen = once + twice + more
    less, greater = (Unseen(executions, seen, one, twice) for one in (once, once + 1))
    assert greater.left >= less.left
    assert greater.discovery > less.discovery
    assert len(f"  unseen   {greater.words}") <= 90
