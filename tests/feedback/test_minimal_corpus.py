from __future__ import annotations

from itertools import chain
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.feedback.minimal_corpus import Cover, Measured, cover

FEATURES = st.frozensets(st.integers(0, 12), max_size=6)
INPUTS = st.dictionaries(st.binary(max_size=4), FEATURES, max_size=12).map(
    lambda found: [Measured(data, features) for data, features in found.items()]
)


def features(inputs: list[Measured]) -> frozenset[int]:
    return frozenset(chain.from_iterable(one.features for one in inputs))


@given(INPUTS, FEATURES)
def test_kept_inputs_have_all_features_and_each_is_needed(
    inputs: list[Measured], covered: frozenset[int]
) -> None:
    kept = cover(inputs, covered)
    assert set(kept) <= set(inputs)
    assert features(kept) | covered == features(inputs) | covered
    for one in kept:
        assert not one.features <= covered | features([each for each in kept if each is not one])


@given(INPUTS, FEATURES, st.randoms())
def test_the_order_of_inputs_does_not_matter(
    inputs: list[Measured], covered: frozenset[int], random: Random
) -> None:
    kept = cover(inputs, covered)
    assert cover(kept, covered) == kept
    random.shuffle(inputs)
    assert cover(inputs, covered) == kept


def test_short_inputs_are_preferred() -> None:
    long, short = Measured(b"long", frozenset({1, 2})), Measured(b"s", frozenset({1, 2}))
    assert cover([long, short]) == [short]
    assert cover([long, Measured(b"s", frozenset({1}))]) == [long]
    assert cover([long], frozenset({1, 2})) == []


@given(INPUTS, st.randoms())
def test_of_inputs_in_any_order_those_stay_that_a_cover_is_made_of(
    inputs: list[Measured], random: Random
) -> None:
    expected = cover(inputs)
    random.shuffle(inputs)
    come, needless = Cover(), set[bytes]()
    for one in [*inputs, *inputs]:  # each may be recorded by two workers
        needless |= set(come.add(one.data, one.features))
    left = [one for one in inputs if one.data in come]
    assert len(left) == len(come)
    assert needless == {one.data for one in inputs} - {one.data for one in left}
    assert cover(left) == expected
