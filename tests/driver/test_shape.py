"""Shapes: a device finds the same request in each, or the mistake that the shape is about."""

from __future__ import annotations

import pytest

from tests.driver.lone_guest import Guest, ready
from vblkfuzz.driver.memory_map import SLOTS, slot_at
from vblkfuzz.limits import MAX_REQUEST_SECTORS, QUEUE_SIZES
from vblkfuzz.scenario.alphabet.guest import REQUESTS
from vblkfuzz.scenario.alphabet.shape import SHAPES, Answer, answer, applies
from vblkfuzz.trace.kinds import COLLECT, REQUEST, SECTOR, SHAPE
from vblkfuzz.trace.sector_data import written
from vblkfuzz.virtio.chain import Chain
from vblkfuzz.virtio.request.blk import DISCARD_SEGMENT, BlkRequest, gather, parse_request

SERVED = [
    (shape, request)
    for shape, name in enumerate(SHAPES)
    for request in range(len(REQUESTS))
    if applies(shape, request) and answer(shape, request) is Answer.SERVED and name != "unmap"
]


def sent(guest: Guest, request: str, shape: str, sectors: int = 1) -> tuple[Chain, BlkRequest]:
    """What a device finds."""
    guest.do("publish", request=request, sector=5, sectors=sectors, shape=shape)
    chain = guest.device().pop()
    assert chain is not None
    return chain, parse_request(guest.memory, chain)


@pytest.mark.parametrize("indirect", [False, True])
@pytest.mark.parametrize("size", [8, 32])
@pytest.mark.parametrize(
    ("shape", "request_code"), SERVED, ids=[f"{SHAPES[a]}-{REQUESTS[b]}" for a, b in SERVED]
)
def test_a_device_finds_the_same_request(
    shape: int, request_code: int, size: int, indirect: bool
) -> None:
    guest, other = ready(size=size, indirect=indirect), ready(size=size, indirect=indirect)
    _, plain = sent(other, REQUESTS[request_code], "plain", MAX_REQUEST_SECTORS)
    chain, found = sent(guest, REQUESTS[request_code], SHAPES[shape], MAX_REQUEST_SECTORS)
    assert (found.type, found.sector) == (plain.type, plain.sector)
    assert found.data_length == plain.data_length
    assert gather(guest.memory, found.readable) == gather(other.memory, plain.readable)
    assert len(chain.readable) + len(chain.writable) <= size


@pytest.mark.parametrize("shape", ["split", "tiny", "long", "status_joined", "table_moved"])
def test_the_guest_reads_the_answer_in_order(shape: str) -> None:
    guest = ready(size=16, indirect=True)
    guest.do("publish", request="in", sector=5, sectors=2, shape=shape)
    end = guest.device()
    chain = end.pop()
    assert chain is not None
    request = parse_request(guest.memory, chain)
    data = written(7, 5) + written(9, 6)
    for address, length in request.writable:
        guest.memory.bytes[address : address + length], data = data[:length], data[length:]
    guest.memory.bytes[request.status_address] = 0
    end.push(chain.head, 1)
    guest.do("collect")
    assert [event.flag for event in guest.events(COLLECT)] == [0]
    assert [(e.head, e.value, e.flag) for e in guest.events(SECTOR)] == [(5, 7, 0), (6, 9, 0)]
    assert [event.flag for event in guest.events(SHAPE)] == [SHAPES.index(shape)]


def test_a_status_that_was_not_written_is_seen_in_each_shape() -> None:
    for shape in ("plain", "status_joined"):
        guest = ready()
        guest.do("publish", request="in", shape=shape)
        end = guest.device()
        chain = end.pop()
        assert chain is not None
        end.push(chain.head, 1)
        guest.do("collect")
        assert [event.flag for event in guest.events(COLLECT)] == [4]


@pytest.mark.parametrize(("request_type", "shape"), [("flush", "split"), ("in", "unmap")])
def test_a_shape_that_changes_nothing_is_not_told(request_type: str, shape: str) -> None:
    guest = ready()
    guest.do("publish", request=request_type, shape=shape)
    assert guest.events(SHAPE) == []
    assert len(guest.events(REQUEST)) == 1


def test_a_table_is_moved_only_if_there_is_one() -> None:
    guest = ready()
    guest.do("publish", shape="table_moved")
    assert guest.events(SHAPE) == []


@pytest.mark.parametrize("size", QUEUE_SIZES)
@pytest.mark.parametrize("indirect", [False, True])
def test_the_longest_chain_is_as_long_as_the_ring(size: int, indirect: bool) -> None:
    chain, _ = sent(ready(size=size, indirect=indirect), "in", "long", 4)
    assert len(chain.readable) + len(chain.writable) == size


@pytest.mark.parametrize("indirect", [False, True])
def test_a_chain_longer_than_the_ring_is_not_sent(indirect: bool) -> None:
    guest = ready(size=4, indirect=indirect)
    guest.do("publish", request="in", shape="tiny")
    assert guest.events(REQUEST) == []
    guest.do("publish", request="in")
    assert len(guest.events(REQUEST)) == 1


@pytest.mark.parametrize(
    ("shape", "segment"),
    [
        ("far_sector", ((1 << 64) - 1, 2, 0)),
        ("wrapping_sector", (1 << 55, 2, 0)),
        ("huge_segment", (5, (1 << 32) - 1, 0)),
        ("unmap", (5, 2, 1)),
        ("reserved_flag", (5, 2, 2)),
    ],
)
def test_the_mistakes_of_a_segment(shape: str, segment: tuple[int, int, int]) -> None:
    guest = ready()
    _, request = sent(guest, "discard", shape, 2)
    assert DISCARD_SEGMENT.unpack(gather(guest.memory, request.readable)) == segment


@pytest.mark.parametrize("request_type", ["in", "out"])
def test_the_mistakes_of_reads_and_writes(request_type: str) -> None:
    assert sent(ready(), request_type, "odd_length")[1].data_length == 700
    assert sent(ready(), request_type, "far_sector")[1].sector == (1 << 64) - 1
    assert sent(ready(), request_type, "wrapping_sector")[1].sector << 9 == 1 << 64


@pytest.mark.parametrize(
    ("sectors", "segments"),
    [(1, [(5, 1, 0), (5, 1, 0)]), (4, [(5, 1, 0), (6, 3, 0)])],
)
def test_two_segments_cover_the_same_sectors(
    sectors: int, segments: list[tuple[int, int, int]]
) -> None:
    guest = ready()
    _, request = sent(guest, "write_zeroes", "two_segments", sectors)
    assert list(DISCARD_SEGMENT.iter_unpack(gather(guest.memory, request.readable))) == segments


def test_a_read_that_must_be_refused_shows_no_sectors() -> None:
    guest = ready()
    guest.do("publish", request="in", shape="odd_length")
    guest.answer(guest.device())
    guest.do("collect")
    assert guest.events(SECTOR) == []


def test_each_slot_has_a_number() -> None:
    slots = [slot for queue in SLOTS for slot in queue]
    numbers = [slot_at(slot.header) for slot in slots]
    assert len(set(numbers)) == len(slots)
    assert numbers == [slot_at(slot.spare + 639) for slot in slots]
