"""Packing and unpacking give the same value; malformed bytes give a typed error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.targets.vhost.fault import MalformedReply
from vblkfuzz.targets.vhost.memory_table import Region, pack_regions, unpack_regions
from vblkfuzz.targets.vhost.message import (
    FLAG_NEED_REPLY,
    FLAG_REPLY,
    HEADER,
    MAX_PAYLOAD,
    VERSION,
    ConfigRange,
    Header,
    Message,
    VringAddresses,
    VringState,
    pack_u64,
    unpack_u64,
)
from vblkfuzz.virtio.vhost_user import Request

U32 = st.integers(0, (1 << 32) - 1)
U64 = st.integers(0, (1 << 64) - 1)


@given(U32, U32)
def test_vring_state(queue: int, number: int) -> None:
    state = VringState(queue, number)
    assert VringState.unpack(state.pack()) == state


@given(U32, U64, U64, U64)
def test_vring_addresses(queue: int, descriptors: int, used: int, available: int) -> None:
    addresses = VringAddresses(queue, descriptors, used, available)
    assert VringAddresses.unpack(addresses.pack()) == addresses


@given(U32, st.binary(max_size=256))
def test_config(offset: int, data: bytes) -> None:
    part = ConfigRange(offset, data)
    assert ConfigRange.unpack(part.pack()) == part


@given(U64)
def test_number(value: int) -> None:
    assert unpack_u64(pack_u64(value)) == value


@given(st.lists(st.builds(Region, U64, U64, U64, U64), max_size=8).map(tuple))
def test_memory_table(regions: tuple[Region, ...]) -> None:
    assert unpack_regions(pack_regions(regions)) == regions


@given(st.sampled_from(Request), st.binary(max_size=64), st.booleans())
def test_a_request_says_its_size_and_whether_it_wants_an_answer(
    request: Request, payload: bytes, need_reply: bool
) -> None:
    data = Message(request, payload, need_reply).pack()
    number, flags, size = HEADER.unpack(data[: HEADER.size])
    assert (number, size, data[HEADER.size :]) == (request, len(payload), payload)
    assert flags == VERSION | (FLAG_NEED_REPLY if need_reply else 0)


@given(st.binary(max_size=80))
def test_any_payload_is_read_or_refused(data: bytes) -> None:
    for unpack in (
        VringState.unpack,
        VringAddresses.unpack,
        ConfigRange.unpack,
        unpack_u64,
        unpack_regions,
    ):
        try:
            unpack(data)
        except MalformedReply as error:
            assert "expected" in str(error) or "regions" in str(error)


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        (HEADER.pack(1, VERSION | FLAG_REPLY, 8)[:-1], "expected 12 bytes"),
        (HEADER.pack(1, 2 | FLAG_REPLY, 8), "expected version"),
        (HEADER.pack(1, VERSION, 8), "expected a reply"),
        (HEADER.pack(1, VERSION | FLAG_REPLY, MAX_PAYLOAD + 1), "expected at most"),
    ],
)
def test_no_header_of_an_answer(header: bytes, problem: str) -> None:
    with pytest.raises(MalformedReply, match=problem):
        Header.unpack(header)


def test_the_header_of_an_answer() -> None:
    assert Header.unpack(HEADER.pack(1, VERSION | FLAG_REPLY, 8)) == (1, 5, 8)
