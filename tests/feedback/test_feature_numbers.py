from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.feedback.feature_numbers import PER_PLACE, mark, numbers_in


@given(st.binary(max_size=40))
def test_marked_counters_show_the_same_features(counters: bytes) -> None:
    numbers = numbers_in(counters)
    assert numbers == sorted(set(numbers))
    assert [number // PER_PLACE for number in numbers] == [
        place for place, count in enumerate(counters) if count
    ]
    again = bytearray(len(counters))
    mark(memoryview(again), numbers)
    assert numbers_in(bytes(again)) == numbers


def test_ranges_are_those_of_libfuzzer() -> None:
    """As `CounterToFeature` of FuzzerTracePC.h has them."""
    lowest = (1, 2, 3, 4, 8, 16, 32, 128)
    for number, (least, above) in enumerate(zip(lowest, (*lowest[1:], 256), strict=True)):
        assert numbers_in(bytes([least])) == numbers_in(bytes([above - 1])) == [number]
