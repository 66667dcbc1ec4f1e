"""The view of a ring sees what the device has returned, on both forms and in any order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.driver.memory_map import ORIGIN
from vblkfuzz.driver.published import Published
from vblkfuzz.driver.rings import new_rings
from vblkfuzz.limits import FIRST_INDICES
from vblkfuzz.scenario.device import RINGS, DeviceConfig, Ring
from vblkfuzz.targets.ring_view import PackedView, RingView, view_of
from vblkfuzz.virtio.device_rings import DeviceRings
from vblkfuzz.virtio.layout import F_EVENT_IDX, F_INDIRECT_DESC, F_RING_PACKED
from vblkfuzz.virtio.memory import GuestMemory
from vblkfuzz.virtio.packed import device_queue as packed
from vblkfuzz.virtio.split import device_queue as split

PUBLISH, POP, PUSH, COLLECT = range(4)
DATA = 0x8000
"""An address behind the rings."""
TABLE = 256
"""Bytes for an indirect table."""


class Rings:
    """A driver, a device and one who looks."""

    def __init__(self, ring: Ring, first: int, *, event_idx: bool = False) -> None:
        self.memory = GuestMemory(memoryview(bytearray(0x10000)))
        config = DeviceConfig(ring=ring, first_index=first, queue_size=8)
        is_packed = ring == "packed"
        features = event_idx << F_EVENT_IDX | is_packed << F_RING_PACKED | 1 << F_INDIRECT_DESC
        self.driver, areas = new_rings(self.memory, 0, 1, config, features)
        forms = DeviceRings(
            split.DeviceQueue(self.memory, 0), lambda: packed.DeviceQueue(self.memory, 0)
        )
        places = areas.size, areas.desc, areas.avail, areas.used
        self.device = forms.set_up(places, features)
        self.device.begin_at(first)
        self.view: RingView = view_of(self.memory, config, 0, 1, packed=is_packed)
        self.seen: list[tuple[int, int]] = []
        self.returned: list[tuple[int, int]] = []
        self.taken: list[int] = []
        self.first, self.tables = first, DATA

    def publish(self, segments: int, *, indirect: bool) -> Published | None:
        self.look()  # as the recorder does before each operation of the guest
        if self.driver.num_free < (1 if indirect else segments + 1):
            return None
        buffers = [(DATA + 16 * each, 16) for each in range(segments)]
        self.tables += TABLE  # one of its own for each chain: the device may take it late
        head = self.driver.add([(DATA, 16)], buffers, self.tables if indirect else None)
        self.driver.publish_raw(head)
        return Published(head, self.driver.span(head), tuple(buffers))

    def note(self, published: Published) -> None:
        self.view.publish(published)

    def pop(self) -> None:
        if chain := self.device.pop():
            self.taken.append(chain.head)

    def push(self, which: int, length: int) -> None:
        if self.taken:
            head = self.taken.pop(which % len(self.taken))
            self.device.push(head, length)
            self.returned.append((head, length))

    def collect(self) -> None:
        if used := self.driver.get_used():
            self.driver.release(used[0])

    def look(self) -> None:
        self.seen += self.view.new_used()

    @property
    def avail(self) -> int:
        return self.driver.avail_idx

    @property
    def all_returned(self) -> bool:
        return (self.first + len(self.returned)) & 0xFFFF == self.avail


STEPS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.booleans(), st.booleans()), max_size=80
)


@given(st.sampled_from(RINGS), st.sampled_from(FIRST_INDICES), STEPS)
def test_each_used_entry_is_seen_once(
    ring: Ring, first: int, steps: list[tuple[int, int, bool, bool]]
) -> None:
    rings = Rings(ring, first)
    for step, number, indirect, look in steps:
        if step == PUBLISH:
            before = rings.avail
            if published := rings.publish(number % 3 + 1, indirect=indirect):
                assert not rings.view.idle(before, [published])
                rings.note(published)
        elif step == POP:
            rings.pop()
        elif step == PUSH:
            rings.push(number, number + 1)
        else:
            rings.collect()
        assert rings.view.idle(rings.avail, ()) == rings.all_returned
        if look:
            rings.look()
    rings.look()
    assert rings.seen == rings.returned
    assert rings.view.used == (first + len(rings.returned)) & 0xFFFF


@pytest.mark.parametrize("first", FIRST_INDICES)
@pytest.mark.parametrize("event_idx", [False, True])
@pytest.mark.parametrize("ring", RINGS)
def test_whether_the_device_asks_for_kicks(ring: Ring, event_idx: bool, first: int) -> None:
    rings = Rings(ring, first, event_idx=event_idx)

    def asks(*new: Published) -> bool:
        return rings.view.asks_for_kicks(new, event_idx=event_idx)

    assert asks()
    for segments in (2, 1, 2, 2):
        rings.device.set_notification(False)
        published = rings.publish(segments, indirect=False)
        assert published is not None
        assert not asks(published)
        rings.pop()
        rings.device.set_notification(True)
        assert asks(published), "although it is not noted yet"
        rings.note(published)
        assert asks()
        rings.push(0, 1)
        rings.collect()


@pytest.mark.parametrize("first", FIRST_INDICES)
def test_the_head_beyond_what_was_published(first: int) -> None:
    """A device that goes on takes what it finds there."""
    rings = Rings("packed", first)
    published = rings.publish(2, indirect=False)
    assert published is not None
    assert rings.view.beyond(first) == published.head
    rings.view.take(published)
    at = rings.view.layout.desc + 16 * ((first + 3) % 8)
    rings.memory.u16[(at >> 1) + 6] = 5
    assert rings.view.beyond(first + 1) == 5


def test_an_id_that_nobody_published_is_taken_for_one_descriptor() -> None:
    rings = Rings("packed", 0)
    assert isinstance(rings.view, PackedView)
    for head in (6, 7):
        rings.device.push(head, 9)
    assert rings.view.new_used() == [(6, 9), (7, 9)]
    assert rings.view.layout.desc >= ORIGIN
