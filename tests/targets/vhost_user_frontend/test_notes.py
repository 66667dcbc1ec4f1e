"""The inflight area: a back-end that ends at any moment, and the next one, which goes on."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.targets.vhost.inflight import InflightArea
from vblkfuzz.targets.vhost.vring_base import base_at, base_of
from vblkfuzz.targets.vhost_user_frontend.notes import Notes
from vblkfuzz.targets.vhost_user_frontend.packed_notes import PackedNotes
from vblkfuzz.targets.vhost_user_frontend.split_notes import SplitNotes
from vblkfuzz.virtio.chain import Chain
from vblkfuzz.virtio.device_rings import DeviceRings
from vblkfuzz.virtio.layout import F_RING_PACKED, RingLayout
from vblkfuzz.virtio.memory import GuestMemory
from vblkfuzz.virtio.packed import device_queue as packed
from vblkfuzz.virtio.packed import driver_queue as packed_driver
from vblkfuzz.virtio.packed.layout import RingLayout as PackedLayout
from vblkfuzz.virtio.queue import DeviceQueue, DriverQueue
from vblkfuzz.virtio.ring_error import QueueSizeExceeded
from vblkfuzz.virtio.split import device_queue as split
from vblkfuzz.virtio.split import driver_queue as split_driver

QUEUE: Final = 1
"""Not the first one of the area."""
sizes = st.integers(1, 4).map(lambda bits: 1 << bits)
steps = st.lists(
    st.tuples(st.sampled_from(["send", "take", "return", "die", "stop"]), st.integers(1, 4)),
    max_size=40,
)


class Pair:
    """A driver and a back-end with one ring."""

    def __init__(self, form: type[Notes], size: int) -> None:
        self.form = form
        self.packed = form is PackedNotes
        self.memory = GuestMemory(memoryview(bytearray(1 << 14)))
        self.layout = (PackedLayout if self.packed else RingLayout).place(size, 0)
        make: Callable[..., DriverQueue] = (
            packed_driver.DriverQueue if self.packed else split_driver.DriverQueue
        )
        self.driver = make(self.memory, self.layout, event_idx=False)
        asked = InflightArea(0, 0, QUEUE + 1, size)
        self.area, self.fd = form.new_area(asked)
        self.base = base_of(self.layout, 0)
        self.sent = 0
        self.flight: list[Chain] = []
        self.begin()

    def begin(self) -> None:
        """Let another back-end begin."""
        rings = DeviceRings(
            split.DeviceQueue(self.memory, QUEUE), lambda: packed.DeviceQueue(self.memory, QUEUE)
        )
        layout = self.layout
        places = layout.size, layout.desc, layout.avail, layout.used
        self.queue: DeviceQueue = rings.set_up(places, self.packed << F_RING_PACKED)
        self.notes = self.form(self.area, self.fd)
        again = self.notes.begin(self.queue, self.base, indirect=True)
        assert list(again) == self.flight, "all that was in flight, the oldest first"

    def send(self, count: int) -> None:
        if count <= self.driver.num_free:
            self.sent += 1
            buffers = [(0, 1)] * (count - 1), [(64, 10 + self.sent)]
            self.driver.publish_raw(self.driver.add(*buffers))

    def take(self, count: int) -> None:
        while count and (chain := self.queue.pop()) is not None:
            self.notes.add(self.queue, chain)
            self.flight.append(chain)
            count -= 1

    def give(self, pick: int) -> None:
        """Return one in flight, in any order, and let the driver collect it."""
        if not self.flight:
            return
        chain = self.flight.pop(pick % len(self.flight))
        length = chain.writable[0][1]
        self.queue.push(chain.head, length)
        self.notes.remove(self.queue, chain.head)
        assert self.driver.get_used() == (chain.head, length)
        assert self.driver.release(chain.head)

    def step(self, what: str, number: int) -> None:
        if what == "send":
            self.send(number)
        elif what == "take":
            self.take(number)
        elif what == "return":
            self.give(number)
        else:
            if what == "stop":
                self.base = base_at(self.queue)
            elif not self.packed:  # a split ring has an index in memory to restore it by
                self.base = self.queue.used_idx
            self.begin()


@pytest.mark.parametrize("form", [SplitNotes, PackedNotes])
@given(sizes, steps)
def test_nothing_is_lost(form: type[Notes], size: int, story: list[tuple[str, int]]) -> None:
    pair = Pair(form, size)
    try:
        for step in story:
            pair.step(*step)
        pair.take(size)
        while pair.flight:
            pair.give(0)
        assert pair.driver.num_free == size
    finally:
        os.close(pair.fd)


def test_more_in_flight_than_a_packed_ring_has() -> None:
    """A driver that uses descriptors again too early; the device's own count is of chains."""
    pair = Pair(PackedNotes, 4)
    pair.send(3)
    pair.take(1)
    assert isinstance(pair.layout, PackedLayout)
    pair.driver = packed_driver.DriverQueue(pair.memory, pair.layout, False, 3)
    pair.send(3)
    with pytest.raises(QueueSizeExceeded):
        pair.take(1)
    os.close(pair.fd)
