"""The driver's end of a queue: what it writes, its free list, and its checks of used entries."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.virtio.layout import DESCRIPTOR, RingLayout
from vblkfuzz.virtio.memory import GuestMemory
from vblkfuzz.virtio.queue import QueueFull
from vblkfuzz.virtio.ring_error import AddressError, RingMisaligned
from vblkfuzz.virtio.split.driver_queue import DriverQueue

LAYOUT: Final = RingLayout.place(4, 64)


def make(event_idx: bool = False) -> tuple[GuestMemory, DriverQueue]:
    memory = GuestMemory(memoryview(bytearray(b"\xff" * 4096)))
    return memory, DriverQueue(memory, LAYOUT, event_idx)


def get(memory: GuestMemory, address: int) -> int:
    return int.from_bytes(memory.read(address, 2), "little")


def put(memory: GuestMemory, address: int, value: int) -> None:
    memory.write(address, value.to_bytes(2, "little"))


def use(memory: GuestMemory, head: int, length: int) -> None:
    idx = get(memory, LAYOUT.used_idx)
    entry = head.to_bytes(4, "little") + length.to_bytes(4, "little")
    memory.write(LAYOUT.used_ring(idx % 4), entry)
    put(memory, LAYOUT.used_idx, (idx + 1) & 0xFFFF)


def descriptor(memory: GuestMemory, index: int) -> tuple[int, ...]:
    return DESCRIPTOR.unpack(memory.read(LAYOUT.desc + 16 * index, 16))


def test_a_new_ring_is_zero_and_the_bytes_around_it_are_unchanged() -> None:
    memory, driver = make()
    assert memory.read(LAYOUT.desc, 64) == bytes(64)
    assert memory.read(LAYOUT.avail, LAYOUT.avail_end - LAYOUT.avail) == bytes(14)
    assert memory.read(LAYOUT.used, LAYOUT.used_end - LAYOUT.used) == bytes(38)
    assert memory.read(LAYOUT.desc - 1, 1) == memory.read(LAYOUT.end, 1) == b"\xff"
    assert (driver.num_free, driver.outstanding) == (4, {})


def test_a_bad_layout_is_refused() -> None:
    memory, _ = make()
    with pytest.raises(RingMisaligned):
        DriverQueue(memory, RingLayout(4, 8, 128, 256), False)


def test_add_writes_a_linked_chain_that_is_not_available_until_publish() -> None:
    memory, driver = make()
    head = driver.add([(1024, 16)], [(2048, 512), (3072, 1)])
    assert (head, driver.num_free, get(memory, LAYOUT.avail_idx)) == (0, 1, 0)
    assert descriptor(memory, 0) == (1024, 16, 1, 1)
    assert descriptor(memory, 1) == (2048, 512, 3, 2)
    assert descriptor(memory, 2) == (3072, 1, 2, 0)
    assert driver.publish(head) == 1
    assert (get(memory, LAYOUT.avail_ring(0)), get(memory, LAYOUT.avail_idx)) == (0, 1)


def test_add_indirect_takes_one_descriptor() -> None:
    memory, driver = make()
    head = driver.add([(1, 2)], [(3, 4)], indirect_table=1000)
    assert descriptor(memory, head) == (1000, 32, 4, 0)
    assert DESCRIPTOR.unpack(memory.read(1000, 16)) == (1, 2, 1, 1)
    assert DESCRIPTOR.unpack(memory.read(1016, 16)) == (3, 4, 2, 0)
    assert driver.num_free == 3


@pytest.mark.parametrize("table", [-16, 4096 - 31, 1 << 40])
def test_an_indirect_table_outside_memory_takes_nothing(table: int) -> None:
    _, driver = make()
    with pytest.raises(AddressError):
        driver.add([(1, 2)], [(3, 4)], indirect_table=table)
    assert (driver.num_free, driver.outstanding) == (4, {})


def test_a_full_queue_and_an_empty_chain_take_nothing() -> None:
    memory, driver = make()
    driver.add([(0, 1)] * 3, [])
    before = memory.read(0, memory.size)
    with pytest.raises(QueueFull):
        driver.add([(0, 1)], [(0, 1)])
    with pytest.raises(ValueError, match="at least one segment"):
        driver.add([], [])
    assert driver.num_free == 1
    assert memory.read(0, memory.size) == before


def test_a_used_entry_gives_its_descriptors_back_once() -> None:
    memory, driver = make()
    head = driver.add([(0, 1)] * 4, [])
    use(memory, head, 77)
    assert driver.get_used() == (head, 77)
    assert driver.get_used() is None
    assert (driver.release(head), driver.release(head)) == (True, False)
    assert driver.num_free == 4
    assert driver.add([(0, 1)], []) == head


@pytest.mark.parametrize("foreign", [1, 3, 4, 0xFFFF_FFFF])
def test_a_foreign_used_entry_is_reported_and_frees_nothing(foreign: int) -> None:
    memory, driver = make()
    driver.add([(0, 1)] * 2, [])
    use(memory, foreign, 0xFFFF_FFFF)
    assert driver.get_used() == (foreign, 0xFFFF_FFFF)
    assert not driver.release(foreign)
    assert driver.num_free == 2


def test_the_driver_never_reads_back_what_it_wrote() -> None:
    memory, driver = make()
    head = driver.add([(0, 1)] * 3, [])
    memory.write(LAYOUT.desc, b"\xff" * 64)
    put(memory, LAYOUT.avail_idx, 0x1234)
    assert driver.release(head)
    assert driver.num_free == 4
    assert driver.publish_raw(2) == get(memory, LAYOUT.avail_idx) == 1


def test_publish_rejects_a_head_that_is_not_outstanding_and_publish_raw_does_not() -> None:
    memory, driver = make()
    with pytest.raises(ValueError, match="outstanding"):
        driver.publish(0)
    assert get(memory, LAYOUT.avail_idx) == 0
    assert driver.publish_raw(0xFFFF) == 1
    assert get(memory, LAYOUT.avail_ring(0)) == 0xFFFF


def test_raw_access_writes_the_given_values_only() -> None:
    memory, driver = make()
    driver.write_descriptor(3, (1 << 64) - 1, (1 << 32) - 1, 0xFFFF, 0xFFFE)
    assert descriptor(memory, 3) == ((1 << 64) - 1, (1 << 32) - 1, 0xFFFF, 0xFFFE)
    assert (driver.num_free, driver.outstanding) == (4, {})
    assert driver.jump_avail_idx(-1) == get(memory, LAYOUT.avail_idx) == 0xFFFF
    assert driver.jump_avail_idx(2) == 1


@pytest.mark.parametrize("index", [-1, 4])
def test_raw_descriptors_stay_in_the_table(index: int) -> None:
    memory, driver = make()
    before = memory.read(0, memory.size)
    with pytest.raises(ValueError, match="descriptor below 4"):
        driver.write_descriptor(index, 0, 0, 0, 0)
    assert memory.read(0, memory.size) == before


def test_indices_wrap_at_65535() -> None:
    memory, driver = make()
    driver.jump_avail_idx(0xFFFF)
    driver.last_used = 0xFFFF
    put(memory, LAYOUT.used_idx, 0xFFFF)
    assert driver.publish(driver.add([(0, 1)], [])) == 0
    assert get(memory, LAYOUT.avail_ring(3)) == 0
    use(memory, 0, 5)
    assert (driver.get_used(), driver.last_used, driver.get_used()) == ((0, 5), 0, None)


def test_kicks_as_a_flag() -> None:
    memory, driver = make()
    assert driver.needs_kick()
    put(memory, LAYOUT.used_flags, 1)
    assert not driver.needs_kick()
    put(memory, LAYOUT.used_flags, 0xFFFE)
    assert driver.needs_kick()


@given(
    st.integers(0, 0xFFFF),
    st.lists(st.tuples(st.integers(0, 6), st.integers(-3, 8)), max_size=20),
)
def test_kicks_as_an_event_index(start: int, batches: list[tuple[int, int]]) -> None:
    """A kick is due if the entry at avail_event was published since the last check."""
    memory, driver = make(event_idx=True)
    driver.jump_avail_idx(start)
    driver.needs_kick()
    for publishes, near in batches:
        avail_event = (driver.avail_idx + near) & 0xFFFF
        put(memory, LAYOUT.avail_event, avail_event)
        entries = {(driver.avail_idx + step) & 0xFFFF for step in range(publishes)}
        for _ in range(publishes):
            driver.publish_raw(0)
        assert driver.needs_kick() == (avail_event in entries)


def test_asking_for_calls() -> None:
    memory, driver = make(event_idx=True)
    driver.last_used = 0xFFFE
    driver.set_used_event(3)
    assert get(memory, LAYOUT.used_event) == 1
    driver.set_no_interrupt(True)
    assert get(memory, LAYOUT.avail_flags) == 1
    driver.set_no_interrupt(False)
    assert get(memory, LAYOUT.avail_flags) == 0
