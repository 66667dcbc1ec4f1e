"""Parents: what is kept is short, has a feature of its own, and the same calls keep the same."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.mutation.parents import Parents
from vblkfuzz.trace.lanes import Acted, Lane

RUNS = st.lists(st.tuples(st.binary(max_size=240), st.integers(0, 255)), max_size=30)


def chosen(parents: Parents) -> dict[bytes, int]:
    """Return all parents, with the features that are theirs."""
    return {parent.data: parent.features for parent in parents}


def noted(runs: list[tuple[bytes, int]]) -> Parents:
    parents = Parents()
    for data, features in runs:
        parents.note(data, features)
    return parents


@given(RUNS)
def test_each_feature_has_one_parent_and_each_parent_a_feature(
    runs: list[tuple[bytes, int]],
) -> None:
    parents = list(noted(runs))
    wanted = 0
    for data, features in runs:
        wanted |= features if len(data) <= 200 else 0
    assert sum(parent.features for parent in parents) == wanted
    assert all(parent.features for parent in parents)


@given(RUNS)
def test_no_input_that_has_a_feature_is_shorter_than_its_parent(
    runs: list[tuple[bytes, int]],
) -> None:
    for parent in noted(runs):
        others = [data for data, features in runs if features & parent.features]
        assert len(parent.data) // 4 == min(map(len, others)) // 4


@given(RUNS, st.integers(0, 1000))
def test_the_same_calls_choose_the_same(runs: list[tuple[bytes, int]], seed: int) -> None:
    one, other = noted(runs), noted(runs)
    left, right = Random(seed).random, Random(seed).random
    for _ in range(10):
        first, second = one.choose(left), other.choose(right)
        assert (first and first.data) == (second and second.data)


def test_without_inputs_there_is_no_parent() -> None:
    assert Parents().choose(Random(1).random) is None


def test_a_parent_whose_children_bring_something_is_chosen_more_often() -> None:
    parents = noted([(b"poor", 1), (b"rich", 2)])
    random, feature, count = Random(1).random, 4, {b"poor": 0, b"rich": 0}
    for _ in range(60):
        parent = parents.choose(random)
        assert parent
        if parent.data in count:
            count[parent.data] += 1
        if parent.data == b"rich":
            parents.note(b"a child of it", feature)
            feature <<= 1
        else:
            parents.note(parent.data, parent.features)
    assert count[b"rich"] > 2 * count[b"poor"]


def test_what_comes_from_elsewhere_is_nobodys_child() -> None:
    parents = noted([(b"one", 1)])
    parents.choose(Random(1).random)
    parents.none_chosen()
    parents.note(b"other", 2)
    assert [parent.brought for parent in parents] == [0, 0]


def test_places_are_those_of_all_inputs_that_are_short_enough() -> None:
    parents = noted([(b"one", 1)])
    lanes = [Lane(0, (Acted(0, 0, 0), Acted(3, 4, 1)))]
    parents.note(bytes(201), 1, lambda: lanes)
    assert len(parents.places) == 0
    parents.note(b"two", 1, lambda: lanes)
    place = parents.places.choose(Random(1).random)
    assert place is not None
    assert place.data == b"two"
