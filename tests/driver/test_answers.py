"""What the guest records of requests, of their answers and of the configuration."""

from __future__ import annotations

import pytest

from tests.driver.lone_guest import Guest, ready
from vblkfuzz.scenario.alphabet.guest import REQUESTS
from vblkfuzz.trace.kinds import (
    COLLECT,
    CONFIG_READ,
    DEVICE_ID,
    KICK,
    PUBLISH,
    REQUEST,
    SECTOR,
    USED_FLAGS,
)
from vblkfuzz.trace.sector_data import written
from vblkfuzz.virtio.request.blk import gather, id_digest


@pytest.mark.parametrize(("status", "flag"), [(0, 0), (1, 2), (2, 3), (3, 4), (0xFF, 4)])
def test_the_status_is_recorded(status: int, flag: int) -> None:
    guest = ready()
    guest.do("publish", request="flush")
    guest.answer(guest.device(), status)
    guest.do("collect")
    assert [event.flag for event in guest.events(COLLECT)] == [flag]


@pytest.mark.parametrize("length", [0, 513, 2**32 - 1])
def test_the_length_is_recorded(length: int) -> None:
    guest = ready()
    guest.do("publish", request="flush")
    guest.answer(guest.device(), length=length)
    guest.do("collect")
    assert [event.length for event in guest.events(COLLECT)] == [length]


def sectors_found(status: int, data: bytes, **read: int) -> list[tuple[int, int, int]]:
    """Return sector, data and flag of each SECTOR event.

    The first of two reads gets `data`; for the second the device writes no data.
    """
    guest = ready(size=32)
    end = guest.device()
    for request in ("in", "in"):
        guest.do("publish", request=request, **read)
        guest.answer(end, status, data)
        guest.do("collect")
        data, first = b"", data
    found = guest.events(SECTOR)
    assert first == b""
    return [(event.head, event.value, event.flag) for event in found]


def test_a_read_records_which_requests_wrote_the_data() -> None:
    data = written(3, 7) + bytes(512) + written(5, 9)[:511] + bytes([6])
    found = sectors_found(0, data, sector=7, sectors=3)
    assert found[:3] == [(7, 3, 0), (8, 0, 0), (9, 5, 1)]
    assert found[3:] == [(7, 0xFF, 0), (8, 0xFF, 0), (9, 0xFF, 0)]  # the device wrote no data


def test_a_failed_read_records_no_sectors() -> None:
    assert sectors_found(1, bytes(512)) == []


@pytest.mark.parametrize(
    ("data", "length", "unwritten"),
    [
        (b"", 1, []),
        (b"", 2, [7]),
        (b"", 513, [7]),
        (b"", 514, [7, 8]),
        (b"", 2**32 - 1, [7, 8]),
        (bytes(1), 513, []),
        (bytes(512), 1025, [8]),
        (bytes(1024), 1025, []),
    ],
)
@pytest.mark.parametrize("status", [1, 2])
def test_a_failed_read_records_what_it_announces_and_has_not_written(
    status: int, data: bytes, length: int, unwritten: list[int]
) -> None:
    guest = ready(size=32)
    guest.do("publish", request="in", sector=7, sectors=2)
    guest.answer(guest.device(), status, data, length=length)
    guest.do("collect")
    found = [(event.head, event.value, event.flag) for event in guest.events(SECTOR)]
    assert found == [(sector, 0xFF, 2) for sector in unwritten]


def test_a_read_without_a_status_records_nothing() -> None:
    guest = ready(size=32)
    guest.do("publish", request="in")
    guest.answer(guest.device(), 0xFF, length=513)
    guest.do("collect")
    assert guest.events(SECTOR) == []


def test_only_reads_record_sectors() -> None:
    guest = ready(size=32)
    end = guest.device()
    for request in REQUESTS:
        if request != "in":
            guest.do("publish", request=request)
            guest.answer(end)
    guest.do("collect")
    assert guest.events(SECTOR) == []


def id_found(data: bytes, status: int = 0) -> list[tuple[int, int]]:
    """Return digest and flag of each DEVICE_ID event of a GET_ID that gets `data`."""
    guest = ready()
    guest.do("publish", request="get_id")
    guest.answer(guest.device(), status, data)
    guest.do("collect")
    found = guest.events(DEVICE_ID)
    assert all(event.head == guest.transport.known_id() for event in found)
    return [(event.value, event.flag) for event in found]


@pytest.mark.parametrize(
    ("data", "text", "flag"),
    [
        (b"a-disk-with-20-bytes", b"a-disk-with-20-bytes", 0),
        (b"a-disk".ljust(20, b"\0"), b"a-disk", 0),
        (bytes(20), b"", 0),
        (b"", b"\xff" * 20, 1),
        (b"a-disk-with-20-byte", b"a-disk-with-20-byte\xff", 2),
        (b"a-disk\0", b"a-disk", 3),
    ],
)
def test_the_device_id_is_recorded(data: bytes, text: bytes, flag: int) -> None:
    assert id_found(data) == [(id_digest(text), flag)]


def test_no_device_id_in_an_answer_that_is_not_ok() -> None:
    assert id_found(bytes(20), status=1) == []
    assert id_found(bytes(20), status=2) == [(0, 5)]  # refused


def test_a_request_is_recorded_before_it_is_published() -> None:
    guest = ready()
    guest.do("publish", request="out", sector=9, sectors=3)
    guest.do("publish", request="flush")
    recorded = [(event.kind, event.flag, event.head, event.value) for event in guest.ring.read()]
    assert recorded[-4:] == [
        (REQUEST, 1, 0, 9 | 2 << 8),
        (PUBLISH, 0, 0, 1),
        (REQUEST, 2, 3, 0),
        (PUBLISH, 0, 3, 2),
    ]


def test_the_nth_request_writes_its_number() -> None:
    guest = ready(size=32)
    end = guest.device()
    for number in (1, 2, 3):
        guest.do("publish", request="out")
        chain = end.pop()
        assert chain is not None
        assert gather(guest.memory, chain.readable[1:]) == written(number, 0)


# --- Configuration ----------------------------------------------------------------------------


def config_reads(generations: list[int]) -> list[tuple[int, int]]:
    guest = ready()
    guest.transport.generations = generations
    guest.do("read_config")
    return [(event.head, event.value) for event in guest.events(CONFIG_READ)]


def test_the_configuration_is_read() -> None:
    assert config_reads([3, 3]) == [(3, 64)]


def test_it_is_read_again_if_it_changed_during_the_read() -> None:
    assert config_reads([3, 4, 4, 5, 65536, 65536]) == [(0, 64)]


def test_reading_a_configuration_that_always_changes_ends() -> None:
    assert config_reads(list(range(99))) == []


@pytest.mark.parametrize("reset", ["reset", "init"])
def test_a_driver_reads_it_whenever_it_sets_the_device_up_again(reset: str) -> None:
    guest = ready()
    assert guest.events(CONFIG_READ) == []
    guest.do(reset)
    guest.do("init")
    found = guest.events(CONFIG_READ)
    assert {(event.head, event.value) for event in found} == {(7, 64)}
    assert len(found) == 1 + (reset == "init")


# --- Flags of the used ring --------------------------------------------------------------------


def test_flags_that_must_be_zero_are_recorded() -> None:
    guest = ready()
    flags = guest.device().layout.used_flags // 2
    guest.do("collect")
    assert guest.events(USED_FLAGS) == []
    guest.memory.u16[flags] = 3
    guest.do("collect")
    guest.rest()
    assert [(event.queue, event.value) for event in guest.events(USED_FLAGS)] == [(0, 3)] * 2


def test_without_an_event_index_one_flag_is_the_devices_own() -> None:
    guest = Guest()
    guest.do("init", decline="event_idx")
    flags = guest.device().layout.used_flags // 2
    guest.memory.u16[flags] = 1
    guest.do("collect")
    assert guest.events(USED_FLAGS) == []
    guest.memory.u16[flags] = 2
    guest.do("collect")
    assert [event.value for event in guest.events(USED_FLAGS)] == [2]


# --- Indices ----------------------------------------------------------------------------------


def test_indices_may_begin_anywhere() -> None:
    guest = ready(first_index=0xFFFF)
    end = guest.device()
    end.begin_at(0xFFFF)
    for _ in range(2):
        guest.do("publish_kick")
        guest.answer(end)
        guest.do("collect")
    assert [event.value for event in guest.events(PUBLISH)] == [0, 1]
    assert [event.value for event in guest.events(COLLECT)] == [0, 1]
    assert [event.flag for event in guest.events(KICK)] == [1, 1]
