"""Samples: the estimate of Kaplan and Meier, censored trials, and cuts at a limit."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.bench.sample import Sample, executions, survival
from vblkfuzz.bench.trial import Trial

pytest.importorskip("scipy")

REMISSION = Sample((6, 6, 6, 7, 10, 13, 16, 22, 23), (6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35))
"""Weeks of remission under 6-MP (Freireich et al. 1963); the shares below are published."""

TIMES = st.lists(st.integers(1, 50).map(float), max_size=8).map(tuple)
SAMPLES = st.builds(Sample, TIMES, TIMES).filter(lambda one: one.size > 0)


def test_shares_as_published() -> None:
    found = survival(REMISSION)
    assert found.times == (6, 7, 10, 13, 16, 22, 23)
    expected = (0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448)
    assert found.shares == pytest.approx(expected, abs=5e-4)
    assert (found.median, found.end) == (23, 35)


def test_a_limit_at_the_time_of_a_finding_comes_after_it() -> None:
    # The censored trial is at risk when the other one finds the bug: 1/2 remain, not 0.
    assert survival(Sample((5,), (5,))).shares == (0.5,)


def test_without_a_finding_nothing_is_estimated() -> None:
    assert survival(Sample((), (9, 9))) == ((), (), 9)
    assert survival(Sample((), (9, 9))).median == inf


@given(SAMPLES)
def test_shares_only_fall(sample: Sample) -> None:
    found = survival(sample)
    assert list(found.times) == sorted(set(sample.found))
    assert all(-1e-9 <= share <= 1 for share in found.shares)
    assert list(found.shares) == sorted(found.shares, reverse=True)


@given(SAMPLES)
def test_with_one_limit_it_is_the_share_that_was_seen(sample: Sample) -> None:
    same = Sample(sample.found, (60.0,) * len(sample.censored))
    found = survival(same)
    above = [sum(value > time for value in same.cut(60)) / same.size for time in found.times]
    assert found.shares == pytest.approx(above)
    assert found.median == same.cut(60)[(same.size - 1) // 2]


@given(SAMPLES)
def test_a_cut_is_what_trials_with_that_limit_would_have_shown(sample: Sample) -> None:
    cut = sample.cut(sample.limit)
    assert len(cut) == sample.size
    assert cut == sorted(cut)
    assert all(value <= sample.limit or value == inf for value in cut)


def test_trials_that_found_nothing_are_censored() -> None:
    rows = [("s1", 7), ("", 50), ("s2", 3)]
    trials = [Trial("d", "default", 1, execs, 1.0, 1.0, found, 0.1) for found, execs in rows]
    assert executions(trials) == Sample((3, 7), (50,))
    assert executions(trials).limit == 50
