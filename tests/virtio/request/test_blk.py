"""Requests: any framing of the same bytes gives the same request."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.virtio.chain import Chain, Segment
from vblkfuzz.virtio.memory import GuestMemory
from vblkfuzz.virtio.request.blk import (
    DISCARD_SEGMENT,
    REQUEST_HEADER,
    BlkRequest,
    ConfigSpace,
    RequestType,
    gather,
    parse_request,
    scatter,
)
from vblkfuzz.virtio.ring_error import AddressError

READABLE_AT: Final = 0
WRITABLE_AT: Final = 1024


def memory_of(data: bytes = b"") -> GuestMemory:
    return GuestMemory(memoryview(bytearray(data.ljust(2048, b"\xee"))))


@st.composite
def cuts(draw: st.DrawFn, start: int, total: int) -> tuple[Segment, ...]:
    """Draw segments that cover `total` bytes from `start` on, split at any positions."""
    inner = draw(st.sets(st.integers(1, total - 1), max_size=6)) if total > 1 else set()
    edges = [0, *sorted(inner), total]
    return tuple((start + low, high - low) for low, high in pairwise(edges))


@given(st.data(), st.integers(0, 200), st.integers(0, 200), st.sampled_from(RequestType))
def test_any_framing_gives_the_same_request(
    data: st.DataObject, out_length: int, in_length: int, kind: RequestType
) -> None:
    payload = bytes(n % 251 for n in range(out_length))
    memory = memory_of(REQUEST_HEADER.pack(kind, 0xFFFF_FFFF, 1 << 60) + payload)
    readable = data.draw(cuts(READABLE_AT, 16 + out_length))
    writable = data.draw(cuts(WRITABLE_AT, in_length + 1))
    request = parse_request(memory, Chain(0, readable, writable))
    assert (request.type, request.sector) == (kind, 1 << 60)
    assert gather(memory, request.readable) == payload
    assert sum(length for _, length in request.writable) == in_length
    assert all(length for _, length in request.readable + request.writable)
    assert request.status_address == WRITABLE_AT + in_length
    to_device = kind in (RequestType.OUT, RequestType.DISCARD, RequestType.WRITE_ZEROES)
    assert request.data_length == (out_length if to_device else in_length)
    answer = bytes(255 - n % 251 for n in range(in_length))
    assert scatter(memory, request.writable, answer) == in_length
    assert memory.read(WRITABLE_AT, in_length + 1) == answer + b"\xee"


def test_the_usual_three_descriptors() -> None:
    memory = memory_of(REQUEST_HEADER.pack(RequestType.IN, 0, 7))
    chain = Chain(2, ((0, 16),), ((1024, 512), (1536, 1)))
    assert parse_request(memory, chain) == BlkRequest(0, 7, (), ((1024, 512),), 1536)


def test_an_unknown_type_is_parsed_too() -> None:
    memory = memory_of(REQUEST_HEADER.pack(0xFFFF_FFFF, 0, 0))
    assert parse_request(memory, Chain(0, ((0, 16),), ((1024, 1),))).type == 0xFFFF_FFFF


def test_a_header_outside_memory_is_refused() -> None:
    with pytest.raises(AddressError):
        parse_request(memory_of(), Chain(0, ((2040, 16),), ((0, 1),)))


def test_scatter_stops_at_the_end_of_data_or_segments() -> None:
    memory = memory_of()
    assert scatter(memory, [(0, 2), (10, 2), (20, 2)], b"abc") == 3
    assert memory.read(0, 3) + memory.read(10, 2) == b"ab\xeec\xee"
    assert memory.read(20, 2) == b"\xee\xee"
    assert scatter(memory, [(30, 2)], b"xyz") == 2
    assert memory.read(30, 3) == b"xy\xee"
    assert scatter(memory, [], b"x") == 0
    assert scatter(memory, [(40, 1), (1 << 40, 1)], b"x") == 1


def test_gather_and_scatter_stay_in_memory() -> None:
    memory = memory_of()
    assert gather(memory, []) == b""
    for segments in ([(2047, 2)], [(0, 1), (2048, 1)]):
        with pytest.raises(AddressError):
            gather(memory, segments)
        with pytest.raises(AddressError):
            scatter(memory, segments, b"abc")


def test_records_have_the_sizes_of_the_standard() -> None:
    assert (REQUEST_HEADER.size, DISCARD_SEGMENT.size) == (16, 16)
    assert REQUEST_HEADER.pack(1, 0, 5) == b"\1\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0"


OFFSETS: Final = {
    "capacity": (0, 8),
    "size_max": (8, 4),
    "seg_max": (12, 4),
    "cylinders": (16, 2),
    "heads": (18, 1),
    "sectors": (19, 1),
    "blk_size": (20, 4),
    "physical_block_exp": (24, 1),
    "alignment_offset": (25, 1),
    "min_io_size": (26, 2),
    "opt_io_size": (28, 4),
    "writeback": (32, 1),
    "num_queues": (34, 2),
    "max_discard_sectors": (36, 4),
    "max_discard_seg": (40, 4),
    "discard_sector_alignment": (44, 4),
    "max_write_zeroes_sectors": (48, 4),
    "max_write_zeroes_seg": (52, 4),
    "write_zeroes_may_unmap": (56, 1),
}
ZERO: Final = dict.fromkeys(OFFSETS, 0)


@pytest.mark.parametrize("field", OFFSETS)
def test_each_config_field_lies_where_the_standard_says(field: str) -> None:
    offset, size = OFFSETS[field]
    expected = bytearray(60)
    expected[offset : offset + size] = b"\xff" * size
    config = ConfigSpace(**{**ZERO, field: (1 << 8 * size) - 1})
    assert config.to_bytes() == expected
