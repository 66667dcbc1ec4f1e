"""What the driver notices of writes in its memory; the test acts as the device."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.driver.lone_guest import Guest, ready
from vblkfuzz.driver.memory_map import BANK_BYTES, ORIGIN, SLOTS, end_of, ring_layout
from vblkfuzz.driver.transport import GuestSteps
from vblkfuzz.limits import GUEST_MEMORY_SIZE
from vblkfuzz.scenario.alphabet.guest import HOSTILE_CONTENTS, REQUESTS
from vblkfuzz.trace.event import NO_QUEUE
from vblkfuzz.trace.kinds import MEMORY_CHANGED
from vblkfuzz.trace.place import Place

RINGS = ring_layout(0, 8, 0)
OLD = RINGS
SLOT = SLOTS[0][0]
"""The slot that the driver uses first, in its first rings."""
STRAY = ("head_out_of_range", "next_out_of_range", "indirect_length", "avail_idx_jump")

Found = list[tuple[Place, int, int, int]]


def changes(guest: Guest) -> Found:
    """Look; return place, queue, head and offset of each change recorded so far."""
    guest.do("collect")
    events = guest.events(MEMORY_CHANGED)
    return [(Place(event.flag), event.queue, event.head, event.value) for event in events]


def spoil(guest: Guest, address: int, length: int = 1) -> None:
    """Change each byte."""
    data = guest.memory.bytes
    for at in range(address, address + length):
        data[at] ^= 0x5A


def with_read(**options: int) -> Guest:
    """A guest whose read of one sector is in use: the slot's first one."""
    guest = ready(**options)
    guest.do("publish", request="in", sector=3)
    return guest


def test_slots_are_where_the_other_tests_expect_them() -> None:
    guest = with_read()
    chain = guest.device().pop()
    assert chain is not None
    assert chain.readable == ((SLOT.header, 16),)
    assert chain.writable == ((SLOT.data, 512), (SLOT.status, 1))


# --- What a device may write ------------------------------------------------------------------


@pytest.mark.parametrize("request_type", REQUESTS)
@pytest.mark.parametrize("indirect", [False, True])
def test_an_answer_is_no_change(request_type: str, indirect: bool) -> None:
    guest = ready(size=32, indirect=indirect)
    end = guest.device()
    for _ in range(20):
        guest.do("publish_kick", request=request_type, sectors=4)
        guest.answer(end, data=b"\x11" * 2048)
        end.set_notification(True)
        assert changes(guest) == []


def test_a_request_in_use_may_be_written_in_part() -> None:
    guest = with_read()
    spoil(guest, SLOT.data + 100, 7)
    assert changes(guest) == []
    spoil(guest, SLOT.status)
    assert changes(guest) == []


def test_all_of_the_used_ring_may_be_written() -> None:
    guest = with_read()
    spoil(guest, RINGS.used + 4, RINGS.used_end - RINGS.used - 4)
    assert changes(guest) == []


def test_what_the_driver_writes_is_no_change() -> None:
    guest = ready(size=4, queues=2)
    for _ in range(4):
        for queue in (0, 1):
            guest.do("publish_kick", queue=queue, request="out")  # at last the ring is full
        guest.do("set_used_event", ahead=3)
        guest.do("suppress_calls", on="yes")
        guest.do("queue_reset", queue=1)
        assert changes(guest) == []
    guest.do("init")
    guest.do("reset")
    assert changes(guest) == []


@pytest.mark.parametrize("content", HOSTILE_CONTENTS)
def test_hostile_contents_are_no_change(content: str) -> None:
    guest = with_read()
    guest.do("hostile", content=content)
    assert changes(guest) == []
    guest.do("publish", request="out")
    guest.do("init")
    assert changes(guest) == []


# --- What it may not write --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "length", "found"),
    [
        (0, 1, (Place.UNUSED, NO_QUEUE, 0, 0)),
        (ORIGIN - 1, 1, (Place.UNUSED, NO_QUEUE, 0, 0)),
        (end_of(1) - 1, 1, (Place.UNUSED, NO_QUEUE, 0, 0)),
        (SLOT.data + 512, 1, (Place.PAST_BUFFER, 0, 0, 0)),
        (SLOT.data + 512, 512, (Place.PAST_BUFFER, 0, 0, 0)),
        (SLOT.data + 515, 9, (Place.PAST_BUFFER, 0, 0, 3)),
        (SLOT.status + 1, 1, (Place.PAST_BUFFER, 0, 0, 0)),
        (SLOT.data - 1, 1, (Place.BEFORE_BUFFER, 0, 0, 0)),
        (SLOT.status - 4, 3, (Place.BEFORE_BUFFER, 0, 0, 1)),
        (SLOT.header, 1, (Place.HEADER, 0, 0, 0)),
        (SLOT.header + 15, 1, (Place.HEADER, 0, 0, 15)),
        (RINGS.desc + 17, 1, (Place.DESCRIPTORS, 0, 0, 17)),
        (RINGS.desc_end - 1, 1, (Place.DESCRIPTORS, 0, 0, 127)),
        (RINGS.avail_flags, 1, (Place.AVAIL_RING, 0, 0, 0)),
        (RINGS.avail_idx, 1, (Place.AVAIL_RING, 0, 0, 2)),
        (RINGS.used_event + 1, 1, (Place.AVAIL_RING, 0, 0, 21)),
        (ring_layout(0, 8, 1).used_idx, 1, (Place.UNUSED, NO_QUEUE, 0, 0)),
    ],
)
def test_a_write_elsewhere_is_found_once(
    address: int, length: int, found: tuple[Place, int, int, int]
) -> None:
    guest = with_read()
    spoil(guest, address, length)
    assert changes(guest) == [found]
    assert changes(guest) == [found]
    spoil(guest, address, length)
    assert changes(guest) == [found, found]


def test_a_buffer_that_the_device_may_only_read() -> None:
    guest = ready()
    guest.do("publish", request="out")
    guest.do("publish", request="discard")
    spoil(guest, SLOT.data + 511)
    spoil(guest, SLOTS[0][1].segment + 8)
    places = [(Place.READABLE_DATA, 0, 0, 511), (Place.READABLE_DATA, 0, 3, 8)]
    assert changes(guest) == places


def test_an_indirect_table() -> None:
    guest = with_read(indirect=True)
    spoil(guest, SLOT.table + 47)
    assert changes(guest) == [(Place.INDIRECT_TABLE, 0, 0, 47)]
    spoil(guest, SLOT.data - 10)
    assert changes(guest)[1:] == [(Place.BEFORE_BUFFER, 0, 0, 9)]  # that of the data


def test_a_whole_write_with_bytes_that_were_there_is_one_change() -> None:
    guest = with_read()
    guest.memory.bytes[SLOT.status + 1 : SLOT.status + 10] = b"\1\0\0\0\1\0\0\0\1"
    assert changes(guest) == [(Place.PAST_BUFFER, 0, 0, 0)]


def test_another_queue() -> None:
    guest = ready(queues=2)
    guest.do("publish", queue=1)
    spoil(guest, SLOTS[1][0].header)
    spoil(guest, ring_layout(1, 8, 0).desc)
    found = [(Place.DESCRIPTORS, 1, 0, 0), (Place.HEADER, 1, 0, 0)]
    assert changes(guest) == found


def test_memory_of_queues_that_are_not_in_use_is_looked_at_in_the_end() -> None:
    guest = with_read()
    spoil(guest, GUEST_MEMORY_SIZE - 1)
    spoil(guest, end_of(1))
    assert changes(guest) == []
    guest.do("reset")
    assert changes(guest) == []
    guest.rest()
    assert changes(guest) == [(Place.UNUSED, NO_QUEUE, 0, 0)]
    guest.rest()
    assert len(changes(guest)) == 1


# --- After the request ------------------------------------------------------------------------


def collected() -> Guest:
    guest = with_read()
    guest.answer(guest.device(), data=b"\x11" * 512)
    assert changes(guest) == []
    return guest


@pytest.mark.parametrize("address", [SLOT.data, SLOT.status, SLOT.header])
def test_a_request_that_was_collected(address: int) -> None:
    guest = collected()
    spoil(guest, address, 1)
    assert changes(guest) == [(Place.COLLECTED, 0, 0, 0)]


def test_the_same_data_written_once_more() -> None:
    guest = collected()
    guest.memory.bytes[SLOT.data : SLOT.data + 512] = b"\x11" * 512
    assert changes(guest) == [(Place.COLLECTED, 0, 0, 0)]


@pytest.mark.parametrize("address", [SLOT.data, SLOT.header + 3, RINGS.desc, RINGS.avail_idx])
@pytest.mark.parametrize("name", ["publish", "hostile"])
def test_a_change_is_found_before_the_driver_writes_over_it(name: str, address: int) -> None:
    guest = collected()
    spoil(guest, address)
    guest.do(name)
    assert len(guest.events(MEMORY_CHANGED)) == 1


@pytest.mark.parametrize("operation", ["set_used_event", "suppress_calls"])
def test_the_available_ring_before_the_driver_writes_there(operation: str) -> None:
    guest = collected()
    spoil(guest, RINGS.avail, RINGS.avail_end - RINGS.avail)
    guest.do(operation)
    assert changes(guest) == [(Place.AVAIL_RING, 0, 0, 0)]


def test_a_request_that_did_not_fit_into_the_ring_is_the_drivers() -> None:
    guest = ready(size=4)
    guest.do("publish", request="out")
    guest.do("publish", request="out", sectors=4)
    assert changes(guest) == []


# --- After a reset ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "request_", "rings"),
    [
        ("reset", Place.AFTER_RESET, Place.RINGS_AFTER_RESET),
        ("init", Place.AFTER_RESET, Place.RINGS_AFTER_RESET),
        ("queue_reset", Place.AFTER_QUEUE_RESET, Place.RINGS_AFTER_QUEUE_RESET),
    ],
)
def test_late_writes(operation: str, request_: Place, rings: Place) -> None:
    guest = with_read()
    guest.do(operation)
    assert changes(guest) == []
    spoil(guest, SLOT.status)
    assert changes(guest) == [(request_, 0, 0, 0)]
    spoil(guest, OLD.used_idx)
    assert changes(guest)[1:] == [(rings, 0, 0, OLD.used_idx - OLD.desc)]


def test_a_late_write_where_a_later_request_had_fewer_buffers() -> None:
    """Two resets ago the device was given this memory; since then a request without data was."""
    guest = with_read()
    guest.do("init")
    guest.do("publish", request="write_zeroes")
    spoil(guest, SLOT.data + 40)
    assert changes(guest) == [(Place.AFTER_RESET, 0, 0, 40)]


def test_a_device_may_write_until_the_reset_has_returned() -> None:
    guest = with_read()

    def late(value: int) -> None:
        spoil(guest, SLOT.data, 512)
        spoil(guest, RINGS.used_idx)

    at_reset(guest, late)
    guest.do("reset")
    assert changes(guest) == []


def at_reset(guest: Guest, act: Callable[[int], None]) -> None:
    """Let the device act while the status is written."""
    write = guest.transport.write_status

    def write_status(value: int) -> GuestSteps:
        act(value)
        return write(value)

    guest.transport.write_status = write_status  # type: ignore[method-assign]


def test_the_reset_of_one_queue_leaves_the_others() -> None:
    guest = ready(queues=2)
    guest.do("publish", queue=0)
    guest.do("publish", queue=1)
    guest.do("queue_reset", queue=1)
    spoil(guest, SLOT.status)
    assert changes(guest) == []
    spoil(guest, SLOTS[1][0].status)
    assert changes(guest) == [(Place.AFTER_QUEUE_RESET, 1, 0, 0)]


def test_rings_that_are_used_again_are_the_devices_again() -> None:
    guest = ready()
    guest.do("init")
    spoil(guest, OLD.used_idx)
    assert changes(guest) == [(Place.RINGS_AFTER_RESET, 0, 0, OLD.used_idx - OLD.desc)]
    guest.do("init")
    spoil(guest, OLD.avail_event)
    assert len(changes(guest)) == 1
    assert OLD.end <= ORIGIN + BANK_BYTES


# --- After hostile contents -------------------------------------------------------------------


@pytest.mark.parametrize("content", HOSTILE_CONTENTS)
@pytest.mark.parametrize(
    ("address", "open_after"),
    [
        (SLOT.data, HOSTILE_CONTENTS),
        (SLOT.status, HOSTILE_CONTENTS),
        (SLOT.header, (*STRAY, "wrong_direction")),
        (SLOT.data + 512, (*STRAY, "huge_length")),
        (SLOT.header + 16, STRAY),
        (RINGS.avail, STRAY),
        (0, STRAY),
    ],
)
def test_what_hostile_contents_allow(
    content: str, address: int, open_after: tuple[str, ...]
) -> None:
    guest = ready()
    guest.do("hostile", content=content)
    spoil(guest, address)
    assert len(changes(guest)) == (content not in open_after)


@pytest.mark.parametrize("content", HOSTILE_CONTENTS)
def test_a_reset_ends_that(content: str) -> None:
    guest = ready()
    guest.do("hostile", content=content)
    guest.do("reset")
    spoil(guest, SLOT.data + 600)
    assert len(changes(guest)) == 1


@pytest.mark.parametrize("content", STRAY)
def test_what_lies_beyond_is_allowed_too(content: str) -> None:
    guest = ready()
    guest.do("hostile", content=content)
    spoil(guest, GUEST_MEMORY_SIZE - 1)
    guest.do("reset")
    assert changes(guest) == []
