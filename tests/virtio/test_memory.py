"""Guest memory reads and writes no byte outside its range."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.virtio.memory import GuestMemory
from vblkfuzz.virtio.ring_error import AddressError

CANARY = b"\xa5" * 32
anywhere = st.integers(-80, 80) | st.integers(-(1 << 65), 1 << 65)


def surrounded() -> tuple[bytearray, GuestMemory]:
    backing = bytearray(CANARY + bytes(range(64)) + CANARY)
    return backing, GuestMemory(memoryview(backing)[32:96])


@given(anywhere, anywhere)
def test_read_gives_the_range_or_refuses(address: int, length: int) -> None:
    _, memory = surrounded()
    if address >= 0 and length >= 0 and address + length <= 64:
        assert memory.read(address, length) == bytes(range(address, address + length))
    else:
        with pytest.raises(AddressError):
            memory.read(address, length)


@given(anywhere, st.binary(max_size=80))
def test_write_stores_everything_or_nothing(address: int, data: bytes) -> None:
    backing, memory = surrounded()
    expected = bytearray(range(64))
    if address >= 0 and address + len(data) <= 64:
        memory.write(address, data)
        expected[address : address + len(data)] = data
    else:
        with pytest.raises(AddressError):
            memory.write(address, data)
    assert backing == CANARY + expected + CANARY


def test_all_views_show_the_same_little_endian_bytes() -> None:
    _, memory = surrounded()
    assert (memory.size, len(memory.u16), len(memory.u32)) == (64, 32, 16)
    memory.u32[1] = 0x44332211
    assert memory.read(4, 4) == b"\x11\x22\x33\x44"
    assert memory.u16[2] == 0x2211
    memory.bytes[4] = 0xFF
    assert memory.u16[2] == 0x22FF


@pytest.mark.parametrize("size", [1, 6, 63])
def test_odd_sizes_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match="multiple of 4"):
        GuestMemory(memoryview(bytearray(size)))
