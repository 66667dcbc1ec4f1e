"""Counts of features that stop at 3: what they say, and that workers add up."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.feedback.incidence import Incidence

EXECUTIONS = st.lists(st.frozensets(st.integers(0, 9)), max_size=12)


def noted(executions: list[frozenset[int]]) -> Incidence:
    found = Incidence()
    for features in executions:
        found.note(sum(1 << one for one in features))
    return found


@given(EXECUTIONS)
def test_it_says_how_many_executions_had_each_feature(executions: list[frozenset[int]]) -> None:
    counts = Counter(one for features in executions for one in features)
    found = noted(executions)
    assert found.executions == len(executions)
    for least, bits in enumerate((found.once, found.twice, found.thrice), 1):
        assert bits == sum(1 << one for one, count in counts.items() if count >= least)


@given(EXECUTIONS, EXECUTIONS)
def test_two_workers_add_up_as_one(one: list[frozenset[int]], other: list[frozenset[int]]) -> None:
    total = noted(one)
    total.add(noted(other))
    assert total == noted([*one, *other])
