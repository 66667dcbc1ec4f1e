"""What runs of PCT are worth, of several workers together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.store.tried import Bound, together, words


@st.composite
def bounds(draw: st.DrawFn) -> dict[int, Bound]:
    found = {}
    for depth in draw(st.sets(st.integers(1, 3))):
        stories = draw(st.integers(1, 1000))
        mean, best = sorted(draw(st.tuples(st.floats(0, 1), st.floats(0, 1))))
        found[depth] = Bound(stories, draw(st.integers(stories, 5000)), best, mean)
    return found


@given(bounds(), bounds())
def test_workers_add_up(one: dict[int, Bound], other: dict[int, Bound]) -> None:
    total = together((one, other))
    assert [*total] == sorted({*one, *other})
    for depth, bound in total.items():
        parts = [each[depth] for each in (one, other) if depth in each]
        assert bound.stories == sum(each.stories for each in parts)
        assert bound.runs == sum(each.runs for each in parts)
        assert bound.best == max(each.best for each in parts)
        least, most = (choose(each.mean for each in parts) for choose in (min, max))
        assert least - 1e-9 <= bound.mean <= most + 1e-9
    assert len(f"  PCT      {words(total)}") <= 100


def test_words_of_nothing() -> None:
    assert words(together([])) == ""


@pytest.mark.parametrize(
    "values",
    [(0, 0, 0, 0), (2, 1, 0.5, 0.5), (1, 1, 0.5, -1), (1, 1, 2, 0), (1, 1, "x", 0), (1, 1, [], 0)],
)
def test_what_cannot_be_is_no_bound(values: tuple[int, int, float, float]) -> None:
    with pytest.raises((TypeError, ValueError)):
        Bound.of(*values)
