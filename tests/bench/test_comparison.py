"""Comparisons: against figures computed by hand, and what holds for all samples."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bench.test_sample import REMISSION, SAMPLES
from vblkfuzz.bench.comparison import Comparison, Interval, compare, median_of
from vblkfuzz.bench.sample import Sample

pytest.importorskip("scipy")

PLACEBO = Sample((1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23))


def test_by_hand() -> None:
    # Of 9 pairs the first wins 7, and one is tied: 2 = 2.
    found = compare(Sample((1, 2, 3)), Sample((2, 4, 5)))
    assert found.a12.value == pytest.approx((3 + 2.5 + 2) / 9)
    # All of 3 before all of 3: 1 of 20 orders, in either direction.
    assert compare(Sample((1, 2, 3)), Sample((4, 5, 6))).rank_p == pytest.approx(2 / 20)


def test_the_log_rank_test_as_published() -> None:
    # chi-square 16.79 with one degree of freedom (Freireich et al. 1963).
    assert compare(REMISSION, PLACEBO).logrank_p == pytest.approx(4.17e-5, rel=0.01)


def test_censored_trials_are_tied_above_all_findings() -> None:
    # 2 of 4 pairs: found and censored; one: both censored; one: 5 against 3 is lost.
    found = compare(Sample((5,), (9,)), Sample((3,), (9,)))
    assert found.a12.value == pytest.approx((0 + 1 + 0 + 0.5) / 4)


def test_both_are_cut_where_one_was_stopped_first() -> None:
    # Nobody knows what the second one would have needed above 4, so 6 and 9 do not beat it.
    found = compare(Sample((6, 9)), Sample((), (4, 4)))
    assert (found.a12.value, found.rank_p) == (0.5, 1.0)
    assert compare(Sample((3, 9)), Sample((), (4, 4))).a12.value == 0.75


@pytest.mark.parametrize(
    "sample", [Sample((), (9, 9, 9)), Sample((3, 3, 3)), Sample((3,), (9,)), Sample((5,))]
)
def test_equal_samples_are_open(sample: Sample) -> None:
    found = compare(sample, sample)
    assert (found.a12.value, found.result) == (0.5, "open")
    assert found.rank_p > 0.5
    assert found.logrank_p == pytest.approx(1.0)


def test_better_and_worse_are_large_and_significant() -> None:
    ten, late = Sample(tuple(range(1, 11))), Sample(tuple(range(21, 31)))
    assert compare(ten, late).result == "better"
    assert compare(late, ten).result == "worse"
    assert compare(Sample((1, 2)), Sample((21, 22))).result == "open"  # two trials tell nothing
    half = Interval(0.6, 0.5, 0.7)
    assert Comparison(half, 0.01, 0.01).result == "open"  # sure, but small


@settings(max_examples=25, deadline=None)
@given(SAMPLES, SAMPLES)
def test_the_other_way_round(first: Sample, second: Sample) -> None:
    one, other = compare(first, second), compare(second, first)
    assert one.a12.value + other.a12.value == pytest.approx(1)
    assert one.a12.low <= one.a12.value <= one.a12.high
    assert one.rank_p == pytest.approx(other.rank_p)
    assert one.logrank_p == pytest.approx(other.logrank_p)
    opposite = {"better": "worse", "worse": "better", "open": "open"}
    assert other.result == opposite[one.result]


@settings(max_examples=25, deadline=None)
@given(SAMPLES, SAMPLES, st.integers(2, 1000))
def test_only_the_order_counts(first: Sample, second: Sample, factor: int) -> None:
    scaled = [
        Sample(*(tuple(value * factor for value in values) for values in one))
        for one in (first, second)
    ]
    assert compare(*scaled) == compare(first, second)


@settings(max_examples=25, deadline=None)
@given(SAMPLES)
def test_a_median_lies_in_its_interval(sample: Sample) -> None:
    found = median_of(sample)
    assert found.low <= found.high
    if len(set(sample.censored)) < 2 and sample.limit >= max(sample.found, default=0):
        assert found.low <= found.value <= found.high
    assert median_of(sample) == found


def test_a_median_above_the_limit() -> None:
    assert median_of(Sample((5,), (9, 9, 9))).value == inf
    assert median_of(Sample((5,), (9, 9, 9))).high == inf
    assert median_of(Sample((), (9, 9))) == (inf, inf, inf)
    assert median_of(Sample((4, 6, 8))).value == 6
