from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.driver.blk import BLK
from vblkfuzz.driver.memory_map import SLOTS
from vblkfuzz.driver.request import STATUS_POISON
from vblkfuzz.limits import (
    GUEST_MEMORY_SIZE,
    MAX_DISK_SECTORS,
    MAX_REQUEST_SECTORS,
    SECTOR_SIZE,
)
from vblkfuzz.scenario.alphabet.guest import REQUESTS
from vblkfuzz.trace.sector_data import written
from vblkfuzz.virtio.chain import Chain
from vblkfuzz.virtio.memory import GuestMemory
from vblkfuzz.virtio.request.blk import (
    DISCARD_SEGMENT,
    ID_SIZE,
    BlkRequest,
    RequestType,
    parse_request,
)

SLOT = SLOTS[1][2]


def built(
    name: str, sector: int = 0, sectors: int = 1, serial: int = 0
) -> tuple[GuestMemory, BlkRequest]:
    memory = GuestMemory(memoryview(bytearray(GUEST_MEMORY_SIZE)))
    buffers = BLK.build(memory, SLOT, REQUESTS.index(name), sector, sectors, serial)
    return memory, parse_request(memory, Chain(0, *buffers))


@given(
    st.sampled_from(REQUESTS),
    st.integers(0, MAX_DISK_SECTORS - 1),
    st.integers(1, MAX_REQUEST_SECTORS),
    st.integers(0, 1000),
)
def test_a_device_reads_what_was_built(name: str, sector: int, sectors: int, serial: int) -> None:
    memory, request = built(name, sector, sectors, serial)
    assert (request.sector, request.status_address) == (sector, SLOT.status)
    assert memory.bytes[SLOT.status] == STATUS_POISON


@pytest.mark.parametrize(
    ("name", "type_", "length"),
    [
        ("in", RequestType.IN, 2 * SECTOR_SIZE),
        ("out", RequestType.OUT, 2 * SECTOR_SIZE),
        ("flush", RequestType.FLUSH, 0),
        ("get_id", RequestType.GET_ID, ID_SIZE),
        ("discard", RequestType.DISCARD, DISCARD_SEGMENT.size),
        ("write_zeroes", RequestType.WRITE_ZEROES, DISCARD_SEGMENT.size),
        ("unsupported", 99, 0),
    ],
)
def test_each_type_has_its_number_and_data(name: str, type_: int, length: int) -> None:
    _, request = built(name, sectors=2)
    assert (request.type, request.data_length) == (type_, length)


def test_the_data_of_a_write_is_its_serial() -> None:
    for serial in (1, 2):
        memory, _ = built("out", sector=6, sectors=2, serial=serial)
        assert memory.read(SLOT.data, 2 * SECTOR_SIZE) == written(serial, 6, 2)


def test_a_discard_names_its_sectors() -> None:
    memory, request = built("discard", sector=7, sectors=3)
    assert DISCARD_SEGMENT.unpack(memory.read(*request.readable[0])) == (7, 3, 0)


def test_the_list_of_types_is_complete() -> None:
    assert len({built(name)[1].type for name in REQUESTS}) == len(REQUESTS)
