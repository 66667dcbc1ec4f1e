from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dataplane.stepping import new_memory, new_ring, of_kind
from vblkfuzz.dataplane.aio import AioContext
from vblkfuzz.dataplane.backend import Backend
from vblkfuzz.dataplane.request import IoResult, Request
from vblkfuzz.limits import SECTOR_SIZE
from vblkfuzz.scenario.alphabet.backend import PICKS, RESULTS
from vblkfuzz.trace.event import ActorId
from vblkfuzz.trace.kinds import FLUSHED, IO_DONE
from vblkfuzz.virtio.request.blk import DISCARD_SEGMENT, BlkRequest, RequestType
from vblkfuzz.virtio.split.device_queue import DeviceQueue

DATA = 1024
"""Guest address of every request's data."""


class Disk:
    """A backend of eight sectors, and the requests that it has ended."""

    def __init__(self) -> None:
        self.memory = new_memory()
        self.ring = new_ring()
        self.ended: list[int] = []
        self.backend = Backend(self.memory, self.ring, 8, self.done)
        self._queue = DeviceQueue(self.memory, 0)
        self._serial = 0

    def done(self, request: Request) -> None:
        self.ended.append(request.serial)

    def submit(self, kind: int, sector: int = 0, length: int = SECTOR_SIZE) -> Request:
        self._serial += 1
        data = ((DATA, length),) if length else ()
        reads = kind in (RequestType.IN, RequestType.GET_ID)
        blk = BlkRequest(kind, sector, () if reads else data, data if reads else (), 0)
        context = AioContext(ActorId.MAIN)
        request = Request(self._serial, self._queue, 0, 0, blk, context)
        self.backend.submit(request)
        return request

    def write(self, sector: int, byte: int, length: int = SECTOR_SIZE) -> Request:
        self.memory.bytes[DATA : DATA + length] = bytes([byte]) * length
        return self.submit(RequestType.OUT, sector, length)

    def sector(self, number: int) -> bytes:
        return bytes(self.backend.disk[number * SECTOR_SIZE : (number + 1) * SECTOR_SIZE])


def test_a_request_ends_at_once_by_default() -> None:
    disk = Disk()
    disk.write(3, 7)
    assert disk.ended == [1]
    assert disk.sector(3) == bytes([7]) * SECTOR_SIZE
    assert disk.submit(RequestType.IN, 3).data == bytes([7]) * SECTOR_SIZE
    assert not disk.backend.holds_any()


def test_a_held_write_takes_effect_when_it_ends() -> None:
    disk = Disk()
    disk.backend.holding = True
    disk.write(3, 7)
    assert (disk.ended, disk.backend.holds_any()) == ([], True)
    assert disk.sector(3) == bytes(SECTOR_SIZE)
    disk.backend.complete("newest", IoResult.OK)
    assert disk.sector(3) == bytes([7]) * SECTOR_SIZE


@pytest.mark.parametrize(
    ("which", "ended"),
    [("0", [1]), ("1", [2]), ("2", [3]), ("3", []), ("newest", [3]), ("all", [1, 2, 3])],
)
def test_completion_picks(which: str, ended: list[int]) -> None:
    disk = Disk()
    disk.backend.holding = True
    for _ in range(3):
        disk.submit(RequestType.FLUSH, 0, 0)
    disk.backend.complete(which, IoResult.OK)
    assert disk.ended == ended


@pytest.mark.parametrize("which", PICKS)
def test_completing_nothing_does_nothing(which: str) -> None:
    disk = Disk()
    disk.backend.complete(which, IoResult.OK)
    assert disk.ended == []


def test_results_have_the_order_of_the_alphabet() -> None:
    assert [result.name.lower() for result in IoResult] == list(RESULTS)


def test_a_failed_write_has_no_effect() -> None:
    disk = Disk()
    disk.backend.holding = True
    request = disk.write(3, 7)
    disk.backend.complete("0", IoResult.ENOSPC)
    assert request.result is IoResult.ENOSPC
    assert disk.sector(3) == bytes(SECTOR_SIZE)
    assert [event.flag for event in of_kind(disk.ring, IO_DONE)] == [2]


def test_release_ends_all_and_stops_holding() -> None:
    disk = Disk()
    disk.backend.holding = True
    disk.write(0, 1)
    disk.backend.release()
    disk.write(1, 2)
    assert disk.ended == [1, 2]


def test_flush_leaves_reads() -> None:
    disk = Disk()
    disk.backend.holding = True
    disk.submit(RequestType.IN)
    disk.write(1, 2)
    disk.submit(RequestType.FLUSH, 0, 0)
    disk.backend.flush()
    assert disk.ended == [2, 3]


@pytest.mark.parametrize("kind", [RequestType.DISCARD, RequestType.WRITE_ZEROES])
def test_discard_and_write_zeroes_zero(kind: RequestType) -> None:
    disk = Disk()
    for number in range(8):
        disk.write(number, 9)
    disk.memory.write(DATA, DISCARD_SEGMENT.pack(2, 3, 0))
    disk.submit(kind, 0, DISCARD_SEGMENT.size)
    zeroed = [number for number in range(8) if disk.sector(number) == bytes(SECTOR_SIZE)]
    assert zeroed == [2, 3, 4]


def test_a_short_discard_segment_does_nothing() -> None:
    disk = Disk()
    disk.write(0, 9)
    disk.memory.write(DATA, DISCARD_SEGMENT.pack(0, 8, 0))
    disk.submit(RequestType.DISCARD, 0, DISCARD_SEGMENT.size - 1)
    assert disk.sector(0) == bytes([9]) * SECTOR_SIZE


def test_what_a_resize_has_cut_off_is_not_written() -> None:
    disk = Disk()
    disk.backend.holding = True
    disk.write(3, 7, 2 * SECTOR_SIZE)
    disk.write(6, 7)
    disk.backend.resize(4)
    disk.backend.release()
    assert disk.backend.sectors == 4
    assert disk.sector(3) == bytes([7]) * SECTOR_SIZE


def test_what_a_resize_adds_is_zero() -> None:
    disk = Disk()
    disk.write(7, 7)
    disk.backend.resize(4)
    disk.backend.resize(8)
    assert disk.sector(7) == bytes(SECTOR_SIZE)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([RequestType.OUT, RequestType.DISCARD, RequestType.WRITE_ZEROES]),
            st.integers(0, 2**64 - 1) | st.integers(0, 10),
            st.integers(0, 2**32 - 1) | st.integers(0, 10),
        ),
        max_size=8,
    ),
    st.integers(1, 16),
)
def test_no_write_changes_the_size(writes: list[tuple[int, int, int]], sectors: int) -> None:
    disk = Disk()
    disk.backend.holding = True
    for kind, sector, count in writes:
        disk.memory.write(DATA, DISCARD_SEGMENT.pack(sector, count, 0))
        disk.submit(kind, sector, SECTOR_SIZE)
    disk.backend.resize(sectors)
    disk.backend.release()
    assert len(disk.backend.disk) == sectors * SECTOR_SIZE


@pytest.mark.parametrize("cached", [False, True])
def test_a_write_through_disk_flushes_each_write_that_succeeds(cached: bool) -> None:
    disk = Disk()
    disk.backend.write_cache = cached
    disk.write(3, 7)
    disk.submit(RequestType.IN, 3)
    disk.write(9, 7)  # beyond the end
    flushed = [event.request for event in of_kind(disk.ring, FLUSHED)]
    assert flushed == ([] if cached else [1])
