"""The device's end of a queue: counters as in QEMU, both forms of suppression, reset."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.virtio.chain import Chain
from vblkfuzz.virtio.layout import RingLayout
from vblkfuzz.virtio.memory import GuestMemory
from vblkfuzz.virtio.ring_error import HeadOutOfRange, QueueSizeExceeded, RingOutside, ZeroLength
from vblkfuzz.virtio.split.device_queue import DeviceQueue

LAYOUT: Final = RingLayout.place(4, 64)
UNDERFLOW: Final = 0xFFFF_FFFF


def make(event_idx: bool = False) -> tuple[GuestMemory, DeviceQueue]:
    memory = GuestMemory(memoryview(bytearray(4096)))
    for index in range(4):
        memory.write(LAYOUT.desc + 16 * index, bytes([0, 8] + [0] * 6 + [1] + [0] * 7))
    device = DeviceQueue(memory, 3)
    device.set_up(LAYOUT, event_idx=event_idx, indirect=False)
    return memory, device


def get(memory: GuestMemory, address: int) -> int:
    return int.from_bytes(memory.read(address, 2), "little")


def put(memory: GuestMemory, address: int, value: int) -> None:
    memory.write(address, value.to_bytes(2, "little"))


def publish(memory: GuestMemory, head: int) -> None:
    idx = get(memory, LAYOUT.avail_idx)
    put(memory, LAYOUT.avail_ring(idx % 4), head)
    put(memory, LAYOUT.avail_idx, (idx + 1) & 0xFFFF)


def test_pop_takes_chains_in_order_until_empty() -> None:
    memory, device = make()
    assert device.empty()
    assert device.pop() is None
    for head in (2, 0, 2):
        publish(memory, head)
    assert (device.avail_idx(), device.empty()) == (3, False)
    assert device.pop() == Chain(2, ((0x800, 1),), ())
    assert [chain.head for chain in iter(device.pop, None)] == [0, 2]
    assert (device.last_avail, device.inuse, device.empty()) == (3, 3, True)


def test_push_writes_the_element_and_the_index() -> None:
    memory, device = make()
    publish(memory, 1)
    device.pop()
    assert device.push(1, 0x01020304)
    assert memory.read(LAYOUT.used_ring(0), 8) == bytes([1, 0, 0, 0, 4, 3, 2, 1])
    assert (get(memory, LAYOUT.used_idx), device.used_idx, device.inuse) == (1, 1, 0)


def test_indices_wrap_at_65535() -> None:
    memory, device = make()
    put(memory, LAYOUT.avail_idx, 0xFFFE)
    device.last_avail = device.used_idx = 0xFFFE
    for head in (3, 1, 2, 0):
        publish(memory, head)
    heads = []
    while chain := device.pop():
        heads.append(chain.head)
        device.push(chain.head, 7)
    assert heads == [3, 1, 2, 0]
    assert (device.last_avail, device.used_idx, get(memory, LAYOUT.used_idx)) == (2, 2, 2)
    assert memory.read(LAYOUT.used_ring(2), 1) == b"\x03"


def test_a_stale_push_makes_inuse_underflow_and_breaks_the_next_pop() -> None:
    memory, device = make()
    device.push(0, 0)
    assert device.inuse == UNDERFLOW
    publish(memory, 0)
    with pytest.raises(QueueSizeExceeded):
        device.pop()
    device.push(0, 0)
    assert device.inuse == UNDERFLOW - 1


def test_detach_drops_a_chain_without_returning_it() -> None:
    memory, device = make()
    publish(memory, 0)
    device.pop()
    device.detach()
    assert (device.inuse, device.used_idx, get(memory, LAYOUT.used_idx)) == (0, 0, 0)
    device.detach()
    assert device.inuse == UNDERFLOW


def test_a_failed_pop_is_taken_but_not_in_use() -> None:
    memory, device = make(event_idx=True)
    memory.write(LAYOUT.desc + 8, bytes(4))
    publish(memory, 0)
    with pytest.raises(ZeroLength):
        device.pop()
    assert (device.last_avail, device.inuse, get(memory, LAYOUT.avail_event)) == (1, 0, 1)


def test_a_bad_head_is_rejected_before_a_kick_is_requested() -> None:
    memory, device = make(event_idx=True)
    publish(memory, 4)
    with pytest.raises(HeadOutOfRange):
        device.pop()
    assert (device.last_avail, get(memory, LAYOUT.avail_event)) == (1, 0)


def test_reset_is_power_on_and_leaves_guest_memory_alone() -> None:
    memory, device = make(event_idx=True)
    for head in (0, 1):
        publish(memory, head)
        device.pop()
    device.set_notification(False)
    device.push(0, 0)
    assert device.inuse == 1
    before = memory.read(0, memory.size)
    device.reset()
    fresh = DeviceQueue(memory, 3)
    for name in ("ready", "size", "last_avail", "used_idx", "inuse", "notification", "layout"):
        assert getattr(device, name) == getattr(fresh, name)
    assert (device.ready, device.notification) == (False, True)
    assert memory.read(0, memory.size) == before


def test_a_queue_that_is_not_ready_does_nothing() -> None:
    memory, device = make()
    publish(memory, 0)
    device.reset()
    before = memory.read(0, memory.size)
    device.set_notification(False)
    assert (device.empty(), device.pop(), device.push(0, 0)) == (True, None, False)
    assert (device.avail_idx(), device.should_call(), device.inuse) == (0, False, 0)
    assert not device.notification
    assert memory.read(0, memory.size) == before


def test_a_refused_set_up_changes_nothing() -> None:
    _, device = make()
    with pytest.raises(RingOutside):
        device.set_up(RingLayout.place(8, 4000), event_idx=True, indirect=True)
    assert (device.layout, device.size) == (LAYOUT, 4)


def test_notification_as_a_flag() -> None:
    memory, device = make()
    put(memory, LAYOUT.used_flags, 0x8000)
    device.set_notification(False)
    assert (device.notification, get(memory, LAYOUT.used_flags)) == (False, 0x8001)
    device.set_notification(True)
    assert (device.notification, get(memory, LAYOUT.used_flags)) == (True, 0x8000)


def test_notification_as_an_event_index() -> None:
    memory, device = make(event_idx=True)
    for head in (0, 1, 2):
        publish(memory, head)
    device.pop()
    assert get(memory, LAYOUT.avail_event) == 1
    device.set_notification(False)
    device.pop()
    assert get(memory, LAYOUT.avail_event) == 1
    device.set_notification(True)
    assert get(memory, LAYOUT.avail_event) == 3
    assert get(memory, LAYOUT.used_flags) == 0


def test_whether_the_driver_would_kick_is_read_from_the_ring() -> None:
    memory, device = make()
    assert device.would_be_kicked()
    device.set_notification(False)
    assert not device.would_be_kicked()
    put(memory, LAYOUT.used_flags, 0)  # other than the device's own `notification`
    assert (device.notification, device.would_be_kicked()) == (False, True)
    device.set_notification(False)
    device.reset()
    assert device.would_be_kicked()


def test_with_an_event_index_the_driver_kicks_at_the_requested_entry() -> None:
    memory, device = make(event_idx=True)
    assert device.would_be_kicked()
    publish(memory, 0)
    device.set_notification(False)
    device.pop()
    assert not device.would_be_kicked()
    publish(memory, 1)
    device.set_notification(True)  # asks for a kick at the entry after the available one
    assert not device.would_be_kicked()
    device.pop()
    assert device.would_be_kicked()


def test_whether_the_ring_asks_for_kicks() -> None:
    _, device = make()
    assert device.asks_for_kicks()
    device.set_notification(False)
    assert not device.asks_for_kicks()
    device.reset()
    assert device.asks_for_kicks()


def test_with_an_event_index_entries_may_be_available() -> None:
    """A request for kicks that lies behind what the device has taken is none."""
    memory, device = make(event_idx=True)
    publish(memory, 0)
    publish(memory, 1)
    assert device.asks_for_kicks()  # the kick of entry 0 was asked for
    device.set_notification(True)
    assert (device.asks_for_kicks(), device.would_be_kicked()) == (True, False)
    put(memory, LAYOUT.avail_event, 3)  # beyond the next entry
    assert not device.asks_for_kicks()
    put(memory, LAYOUT.avail_event, 0)
    device.set_notification(False)
    device.pop()
    assert not device.asks_for_kicks()


def test_calls_as_a_flag() -> None:
    memory, device = make()
    assert device.should_call()
    put(memory, LAYOUT.avail_flags, 1)
    assert not device.should_call()
    put(memory, LAYOUT.avail_flags, 0xFFFE)
    assert device.should_call()


@given(
    st.integers(0, 0xFFFF),
    st.lists(st.tuples(st.integers(0, 6), st.integers(-3, 8)), max_size=20),
)
def test_calls_as_an_event_index(start: int, batches: list[tuple[int, int]]) -> None:
    """A call is due if the entry at used_event was pushed since the last check."""
    memory, device = make(event_idx=True)
    device.used_idx = start
    device.should_call()
    for pushes, near in batches:
        used_event = (device.used_idx + near) & 0xFFFF
        put(memory, LAYOUT.used_event, used_event)
        entries = {(device.used_idx + step) & 0xFFFF for step in range(pushes)}
        for _ in range(pushes):
            device.push(0, 0)
        assert device.should_call() == (used_event in entries)


def test_the_first_call_and_one_after_half_the_index_range_need_no_event() -> None:
    memory, device = make(event_idx=True)
    put(memory, LAYOUT.used_event, 0x9000)
    assert device.should_call()
    for _ in range(0x7FFF):
        device.push(0, 0)
    assert not device.should_call()
    for _ in range(0x8000):
        device.push(0, 0)
    put(memory, LAYOUT.used_event, 0x0010)
    assert device.should_call()
