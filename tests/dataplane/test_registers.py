from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.dataplane.registers import (
    ENABLED,
    QUEUE_WORDS,
    QUEUES,
    SIZE,
    WORDS,
    Exit,
    Registers,
)
from vblkfuzz.limits import MAX_QUEUES


def registers() -> Registers:
    return Registers(memoryview(bytearray(4 * WORDS)).cast("I"))


@given(st.integers(0, 2**64 - 1))
def test_feature_bits_survive(bits: int) -> None:
    some = registers()
    some.features = bits
    assert some.features == bits


@given(st.integers(0, 2**64 - 1))
def test_offered_bits_survive(bits: int) -> None:
    some = registers()
    some.offered = bits
    assert some.offered == bits


@given(
    st.dictionaries(
        st.tuples(st.integers(0, MAX_QUEUES - 1), st.integers(0, QUEUE_WORDS - 1)),
        st.integers(0, 2**32 - 1),
    )
)
def test_queue_registers_do_not_overlap(written: dict[tuple[int, int], int]) -> None:
    some = registers()
    some.features = some.offered = 2**64 - 1
    for (queue, register), value in written.items():
        some.set_queue(queue, register, value)
    assert {place: some.queue(*place) for place in written} == written
    assert some.features == some.offered == 2**64 - 1


def test_there_is_room_for_all_queues() -> None:
    assert QUEUES + MAX_QUEUES * QUEUE_WORDS <= WORDS


def test_an_exit_is_pending_until_it_is_taken() -> None:
    some = registers()
    assert not some.exit_pending()
    some.post_exit(Exit.KICK, 3)
    assert some.exit_pending()
    some.clear()
    assert not some.exit_pending()


def test_clear_is_power_on() -> None:
    some = registers()
    some.set_queue(1, SIZE, 8)
    some.set_queue(1, ENABLED, 1)
    some.clear()
    assert not any(some.words)
