"""The driver on virtio-scsi: what a device finds in a ring made by hand, and what it may answer."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.driver.lone_guest import Guest
from vblkfuzz.driver.guest import GuestDriver
from vblkfuzz.driver.memory_map import SIDE_QUEUES, SLOTS, slot_at
from vblkfuzz.driver.scsi import ScsiForm, ending_of
from vblkfuzz.limits import GUEST_MEMORY_SIZE, MAX_DISK_SECTORS, MAX_REQUEST_SECTORS
from vblkfuzz.scenario.alphabet.guest import REQUESTS
from vblkfuzz.scenario.alphabet.shape import SHAPES
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.trace.ending import (
    ABORTED,
    ENDED_IOERR,
    ENDED_OK,
    ENDED_UNSUPP,
    NO_STATUS,
    RETRY,
)
from vblkfuzz.trace.kinds import (
    COLLECT,
    CONFIG_READ,
    DEVICE_ID,
    MEMORY_CHANGED,
    SECTOR,
    SHAPE,
)
from vblkfuzz.trace.sector_data import written
from vblkfuzz.virtio.chain import Chain
from vblkfuzz.virtio.memory import GuestMemory
from vblkfuzz.virtio.request.blk import F_MQ, gather, id_digest, scatter
from vblkfuzz.virtio.request.scsi import HEADER_SIZE, RESPONSE, RESPONSE_SIZE

SLOT = SLOTS[1][2]
GOOD = RESPONSE.pack(0, 0, 0, 0, 0, b"")
LENGTHS = {
    "in": (0, 1024),
    "out": (1024, 0),
    "flush": (0, 0),
    "get_id": (0, 24),
    "discard": (24, 0),
    "write_zeroes": (512, 0),
    "unsupported": (0, 0),
}
"""Bytes of data to the device, and from it, of a request of two sectors."""


def sense(key: int, code: int = 0, status: int = 2) -> bytes:
    data = bytes([0x70, 0, key, 0, 0, 0, 0, 10, 0, 0, 0, 0, code, 0, 0, 0, 0, 0])
    return RESPONSE.pack(len(data), 0, 0, status, 0, data)


SCSI = ScsiForm(DeviceConfig(kind="scsi"))


class ScsiGuest(Guest):
    """A driver of virtio-scsi whose device is played by the test."""

    def __init__(self, *, queues: int = 1, size: int = 8, units: int = 1) -> None:
        super().__init__(queues=queues, size=size)
        config = DeviceConfig(queues=queues, queue_size=size, kind="scsi", units=units)
        self.driver = GuestDriver(self.memory, self.transport, config, self.ring, ScsiForm(config))
        self.do("init")
        self.end = self.device()

    def take(self) -> Chain:
        chain = self.end.pop()
        assert chain is not None
        return chain

    def use(self, response: bytes, data: bytes = b"") -> None:
        chain = self.take()
        scatter(self.memory, chain.writable, response + data)
        self.end.push(chain.head, len(response + data))
        self.do("collect")


@given(
    st.sampled_from(REQUESTS),
    st.integers(0, MAX_DISK_SECTORS - 1),
    st.integers(1, MAX_REQUEST_SECTORS),
)
def test_every_request_lies_in_its_slot(name: str, sector: int, sectors: int) -> None:
    memory = GuestMemory(memoryview(bytearray(GUEST_MEMORY_SIZE)))
    made = SCSI.build(memory, SLOT, REQUESTS.index(name), sector, sectors, 3)
    area = SCSI.area(SLOT, sectors)
    for address, length in (*made.readable, *made.writable):
        assert area.start <= address
        assert address + length <= area.stop
        assert slot_at(address) == slot_at(SLOT.header)
    assert made.readable[0][1] == HEADER_SIZE
    assert made.writable[0][1] == RESPONSE_SIZE
    assert SCSI.ending(memory, SLOT) == NO_STATUS


@pytest.mark.parametrize("name", REQUESTS)
def test_each_request_has_its_data(name: str) -> None:
    memory = GuestMemory(memoryview(bytearray(GUEST_MEMORY_SIZE)))
    made = SCSI.build(memory, SLOT, REQUESTS.index(name), 5, 2, 3)
    sizes = [sum(size for _, size in part[1:]) for part in made]
    assert tuple(sizes) == LENGTHS[name]
    if name == "out":
        assert gather(memory, made.readable[1:]) == written(3, 5, 2)
    cdb = gather(memory, made.readable)[19:51]
    if name in ("in", "out", "write_zeroes"):
        assert struct.unpack_from(">IBH", cdb, 2) == (5, 0, 2)


@pytest.mark.parametrize(
    ("response", "ending", "pushed"),
    [
        (GOOD, ENDED_OK, 0),
        (sense(6, 0x29), RETRY, 3),
        (RESPONSE.pack(0, 0, 0, 8, 0, b""), RETRY, 3),
        (RESPONSE.pack(0, 0, 0, 0, 5, b""), RETRY, 3),
        (sense(5, 0x20), ENDED_UNSUPP, 2),
        (sense(5, 0x21), ENDED_IOERR, 1),
        (sense(3, 0x11), ENDED_IOERR, 1),
        (RESPONSE.pack(0, 0, 0, 0, 2, b""), ABORTED, 4),
        (RESPONSE.pack(0, 0, 0, 0, 4, b""), ABORTED, 4),
        (RESPONSE.pack(0, 0, 0, 0, 9, b""), ENDED_IOERR, 1),
        (sense(3, 0x11, status=0), NO_STATUS, 0xFF),
    ],
)
def test_a_response_is_an_ending(response: bytes, ending: int, pushed: int) -> None:
    assert ending_of(response) == ending
    guest = ScsiGuest()
    guest.do("publish", request="flush")
    chain = guest.take()
    scatter(guest.memory, chain.writable, response)
    assert SCSI.status(guest.memory, chain.writable) == pushed
    guest.end.push(chain.head, RESPONSE_SIZE)
    guest.do("collect")
    assert [event.flag for event in guest.events(COLLECT)] == [ending]


@pytest.mark.parametrize("shape", ["plain", "split", "tiny", "long", "header_split", "unmap"])
def test_a_read_in_each_shape(shape: str) -> None:
    """Shapes of virtio-blk alone are sent plain."""
    guest = ScsiGuest(size=16)
    guest.do("publish", request="in", sector=7, sectors=2, shape=shape)
    assert len(guest.events(SHAPE)) == (SHAPES.index(shape) in SCSI.shapes)
    guest.use(GOOD, written(4, 7) + written(9, 8))
    assert [(event.head, event.value, event.flag) for event in guest.events(SECTOR)] == [
        (7, 4, 0),
        (8, 9, 0),
    ]
    assert guest.events(MEMORY_CHANGED) == []


@pytest.mark.parametrize("shape", ["plain", "split", "tiny", "long", "header_split"])
def test_a_device_finds_the_same_write_in_each_shape(shape: str) -> None:
    guest = ScsiGuest(size=16)
    guest.do("publish", request="out", sector=7, sectors=2, shape=shape)
    found = gather(guest.memory, guest.take().readable)
    assert found[HEADER_SIZE:] == written(1, 7, 2)


def test_the_serial_number_is_the_id() -> None:
    guest = ScsiGuest()
    guest.do("publish", request="get_id")
    guest.use(GOOD, bytes([0, 0x80, 0, 20]) + b"vblkfuzz-qemu-disk00")
    (event,) = guest.events(DEVICE_ID)
    assert (event.flag, event.value) == (0, id_digest(b"vblkfuzz-qemu-disk00"))


def test_a_retry_says_nothing_of_the_data() -> None:
    guest = ScsiGuest()
    guest.do("publish", request="in")
    guest.use(sense(6, 0x29))
    assert guest.events(SECTOR) == []


@pytest.mark.parametrize(
    ("request_type", "left", "ending"),
    [
        ("in", 1024, ENDED_IOERR),
        ("in", 1025, NO_STATUS),
        ("out", 512, ENDED_IOERR),
        ("flush", 1, NO_STATUS),
        ("write_zeroes", 513, NO_STATUS),
        ("discard", 24, ENDED_IOERR),
        ("get_id", 25, NO_STATUS),
    ],
)
def test_no_more_data_is_left_than_there_was(request_type: str, left: int, ending: int) -> None:
    guest = ScsiGuest()
    guest.do("publish", request=request_type, sectors=2)
    guest.use(RESPONSE.pack(18, left, 0, 2, 0, sense(3)[12:30]))
    assert [event.flag for event in guest.events(COLLECT)] == [ending]


def test_queues_without_requests_are_set_up_behind_the_others() -> None:
    guest = ScsiGuest(queues=2)
    assert list(guest.transport.layouts) == [0, 1, *SIDE_QUEUES]
    ends = [(layout.desc, layout.end) for layout in guest.transport.layouts.values()]
    for one, (start, end) in enumerate(ends):
        for other_start, other_end in ends[one + 1 :]:
            assert end <= other_start or other_end <= start


def test_a_device_may_use_the_ring_of_the_events_until_a_reset() -> None:
    guest = ScsiGuest()
    layout = guest.transport.layouts[SIDE_QUEUES[1]]
    guest.memory.bytes[layout.used] = 1
    guest.do("collect")
    assert guest.events(MEMORY_CHANGED) == []
    guest.do("reset")
    guest.memory.bytes[layout.used] = 2
    guest.do("collect")
    assert [event.queue for event in guest.events(MEMORY_CHANGED)] == [SIDE_QUEUES[1]]


def test_its_configuration_has_no_capacity() -> None:
    guest = ScsiGuest()
    guest.do("read_config")
    guest.do("init")
    assert guest.events(CONFIG_READ) == []
    assert guest.transport.accepted is not None
    assert not guest.transport.accepted >> F_MQ & 1


def test_units_take_turns_by_the_first_sector() -> None:
    guest, found = ScsiGuest(units=3, size=16), []
    for sector, sectors in ((0, 2), (1, 1), (5, 4), (63, 1)):
        guest.do("publish", request="in", sector=sector, sectors=sectors)
        header = gather(guest.memory, guest.take().readable)
        found.append((header[:4], header[19 + 5]))
    assert found == [(bytes([1, 0, 0x40, sector % 3]), sector) for sector in (0, 1, 5, 63)]
