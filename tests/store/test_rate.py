"""Rates and their Wilson intervals: values known by hand, and what holds for all of them."""

from __future__ import annotations

from math import isclose, sqrt

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from vblkfuzz.store.rate import Rate, wilson

SQUARE = 1.959963984540054**2
"""z squared for 95 %."""


@st.composite
def counts(draw: st.DrawFn) -> tuple[int, int]:
    runs = draw(st.integers(1, 100_000))
    return draw(st.integers(0, runs)), runs


@pytest.mark.parametrize(
    ("seen", "runs", "low", "high"),
    [
        (0, 1, 0.0, SQUARE / (1 + SQUARE)),
        (1, 1, 1 / (1 + SQUARE), 1.0),
        (0, 5, 0.0, SQUARE / (5 + SQUARE)),
        (5, 5, 5 / (5 + SQUARE), 1.0),
        (0, 0, 0.0, 1.0),
        # With half of the runs, (p - 1/2)^2 = z^2 p (1 - p) / n is solved by hand.
        (5, 10, 0.5 - sqrt(SQUARE / (40 + 4 * SQUARE)), 0.5 + sqrt(SQUARE / (40 + 4 * SQUARE))),
        # The roots of (n + z^2) p^2 - (2 k + z^2) p + k^2 / n, with 40 digits.
        (19, 20, 0.763_869, 0.991_119),
        (1, 10, 0.017_876, 0.404_150),
    ],
)
def test_known_values(seen: int, runs: int, low: float, high: float) -> None:
    found = wilson(seen, runs)
    assert isclose(found.low, low, abs_tol=1e-6)
    assert isclose(found.high, high, abs_tol=1e-6)


@given(counts())
def test_the_bounds_solve_the_equation_that_defines_them(pair: tuple[int, int]) -> None:
    """Wilson's: the bounds p have (share - p)^2 = z^2 p (1 - p) / n."""
    seen, runs = pair
    for bound in wilson(seen, runs):
        apart = (seen / runs - bound) ** 2
        assert isclose(apart, SQUARE * bound * (1 - bound) / runs, rel_tol=1e-6, abs_tol=1e-12)


@given(counts())
def test_the_share_lies_between_the_bounds(pair: tuple[int, int]) -> None:
    seen, runs = pair
    low, high = wilson(seen, runs)
    assert 0 <= low <= seen / runs <= high <= 1
    assert (low == 0) == (seen == 0)
    assert (high == 1) == (seen == runs)


@given(counts())
def test_more_runs_that_show_it_move_both_bounds_up(pair: tuple[int, int]) -> None:
    seen, runs = pair
    assume(seen < runs)
    less, more = wilson(seen, runs), wilson(seen + 1, runs)
    assert less.low < more.low
    assert less.high < more.high


@given(counts(), st.integers(2, 50))
def test_more_runs_make_it_narrower(pair: tuple[int, int], times: int) -> None:
    few, many = wilson(*pair), wilson(pair[0] * times, pair[1] * times)
    assert many.high - many.low < few.high - few.low


@given(counts())
def test_shown_and_not_shown_mirror_each_other(pair: tuple[int, int]) -> None:
    seen, runs = pair
    low, high = wilson(seen, runs)
    other = wilson(runs - seen, runs)
    assert isclose(low, 1 - other.high, abs_tol=1e-9)
    assert isclose(high, 1 - other.low, abs_tol=1e-9)


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (Rate(19, 20), "19 of 20 (76 to 99 %)"),
        (Rate(0, 5), "0 of 5 (0 to 43 %)"),
        (Rate(5, 5), "5 of 5 (57 to 100 %)"),
        (Rate(1, 3, harness_errors=1), "1 of 3 (6 to 79 %), 1 harness error"),
        (Rate(0, 0, harness_errors=2), "0 of 0, 2 harness errors"),
    ],
)
def test_in_words(rate: Rate, words: str) -> None:
    assert str(rate) == words


def test_without_an_interval() -> None:
    assert Rate(5, 5).counts == "5 of 5"
    assert Rate(5, 5, harness_errors=2).counts == "5 of 5, 2 harness errors"


def test_runs_add_up() -> None:
    assert Rate(1, 2, 3) + Rate(4, 5, 6) == Rate(5, 7, 9)


@pytest.mark.parametrize(("rate", "varies"), [((0, 3), False), ((3, 3), False), ((1, 3), True)])
def test_some_runs_only(rate: tuple[int, int], varies: bool) -> None:
    assert Rate(*rate).varies is varies


@pytest.mark.parametrize("counts", [(-1, 2, 0), (3, 2, 0), (0, 0, -1)])
def test_counts_that_cannot_be(counts: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match=r"expected 0 <= seen <= runs"):
        Rate(*counts)
