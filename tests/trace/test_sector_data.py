"""The data of sectors: each byte tells whose it is, and a byte in the wrong place is seen."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from vblkfuzz.limits import MAX_DISK_SECTORS, MAX_REQUEST_SECTORS, SECTOR_SIZE
from vblkfuzz.trace.event import UNTOUCHED
from vblkfuzz.trace.sector_data import described, written

SERIALS = st.integers(1, 62)
"""Of the requests of a scenario."""
SECTORS = st.integers(0, MAX_DISK_SECTORS - 1)


@given(st.integers(0, 1000), SECTORS, st.integers(1, MAX_REQUEST_SECTORS))
def test_each_sector_of_a_write_is_recognised(serial: int, first: int, sectors: int) -> None:
    data = written(serial, first, sectors)
    assert len(data) == sectors * SECTOR_SIZE
    for place in range(sectors):
        found = data[place * SECTOR_SIZE : (place + 1) * SECTOR_SIZE]
        assert described(found, first + place) == (serial % 256, False)


@given(SECTORS)
def test_zeroes_and_poison_have_no_order(sector: int) -> None:
    assert written(0, sector) == written(256, sector) == bytes(SECTOR_SIZE)
    assert described(bytes([UNTOUCHED]) * SECTOR_SIZE, sector) == (UNTOUCHED, False)


@given(SERIALS, SECTORS, SERIALS, SECTORS)
def test_bytes_of_two_requests_are_never_equal(one: int, at: int, two: int, there: int) -> None:
    data = written(one, at)
    assert not {0, UNTOUCHED} & set(data)
    if one != two:
        assert not set(data) & set(written(two, there))


@given(SERIALS, SECTORS, st.integers(1, 7))
def test_another_sector_of_the_same_request(serial: int, sector: int, distance: int) -> None:
    assert described(written(serial, sector), sector + distance) == (serial, True)


@given(SERIALS, SECTORS)
def test_reversed_bytes(serial: int, sector: int) -> None:
    assert described(written(serial, sector)[::-1], sector)[1]


@given(SERIALS, SECTORS, st.integers(1, SECTOR_SIZE - 1))
def test_shifted_bytes_and_swapped_parts(serial: int, sector: int, by: int) -> None:
    data = written(serial, sector)
    assert described(data[by:] + data[:by], sector)[1]
    assert described(data[:1] * by + data[:-by], sector)[1]


@given(SERIALS, SECTORS, st.integers(0, SECTOR_SIZE - 1), st.integers(0, 255))
def test_a_wrong_byte_anywhere(serial: int, sector: int, at: int, byte: int) -> None:
    data = bytearray(written(serial, sector))
    assume(data[at] != byte)
    data[at] = byte
    assert described(data, sector)[1]


def test_the_data_of_a_request_does_not_change() -> None:
    """Reproducers that were exported have a copy."""
    assert written(1, 0)[:8].hex() == "0101414141814181"
    assert written(5, 9)[-4:].hex() == "05c58545"
