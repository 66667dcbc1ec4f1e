"""Dequeues are counted by the field alone, for every first index."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.driver.memory_map import ring_layout
from vblkfuzz.limits import FIRST_INDICES, GUEST_MEMORY_SIZE
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.targets.dequeue import Dequeue
from vblkfuzz.targets.vhost.avail_event import AvailEvents
from vblkfuzz.trace.event import ActorId
from vblkfuzz.virtio.memory import GuestMemory
from vblkfuzz.virtio.split.driver_queue import DriverQueue


@given(
    st.sampled_from(FIRST_INDICES),
    st.lists(st.tuples(st.booleans(), st.integers(0, 20)), max_size=12),
)
def test_each_dequeue_is_seen_once(first: int, story: list[tuple[bool, int]]) -> None:
    """In each step the driver may make new rings; then the device dequeues some."""
    memory = GuestMemory(memoryview(bytearray(GUEST_MEMORY_SIZE)))
    config = DeviceConfig(queues=2, first_index=first)
    witness = AvailEvents(memory, config, ActorId.IO0)
    assert witness.dequeues() == []
    taken, bank = None, 1
    for new, count in story:
        if new or taken is None:
            bank ^= 1
            layout = ring_layout(1, config.queue_size, bank)
            DriverQueue(memory, layout, True, first)
            taken = first
            assert witness.dequeues() == []
        taken = (taken + count) & 0xFFFF
        memory.u16[ring_layout(1, config.queue_size, bank).avail_event >> 1] = taken
        assert witness.dequeues() == [Dequeue(1, ActorId.IO0)] * count
        assert witness.dequeues() == []
