"""Both ends of one ring: no chain is lost, duplicated or changed."""

from __future__ import annotations

from collections import deque
from typing import Final

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from vblkfuzz.virtio.chain import Chain, Segment
from vblkfuzz.virtio.layout import RingLayout
from vblkfuzz.virtio.memory import GuestMemory
from vblkfuzz.virtio.queue import QueueFull
from vblkfuzz.virtio.split.device_queue import DeviceQueue
from vblkfuzz.virtio.split.driver_queue import DriverQueue

MEMORY_SIZE: Final = 1 << 16
TABLES: Final = 1 << 15
"""Guest address of the indirect tables, above the largest ring of these tests."""
TABLE_SIZE: Final = 128
TABLE_COUNT: Final = (MEMORY_SIZE - TABLES) // TABLE_SIZE

U16: Final = 0xFFFF
sizes = st.integers(0, 6).map(lambda bits: 1 << bits)
starts = st.integers(0, U16) | st.integers(0xFFF0, U16)
bases = st.integers(0, 4096)
segments = st.lists(
    st.tuples(st.integers(0, MEMORY_SIZE - 1), st.integers(1, 1 << 20)).map(
        lambda pair: (pair[0], min(pair[1], MEMORY_SIZE - pair[0]))
    ),
    max_size=4,
)
chains = st.tuples(segments, segments).filter(lambda pair: bool(pair[0] or pair[1]))


class Ring:
    """Driver and device on one memory, both starting at index `start`."""

    def __init__(self, size: int, base: int, start: int, event_idx: bool) -> None:
        self.memory = GuestMemory(memoryview(bytearray(MEMORY_SIZE)))
        layout = RingLayout.place(size, base)
        self.driver = DriverQueue(self.memory, layout, event_idx)
        self.driver.jump_avail_idx(start)
        self.driver.last_used = start
        self.driver.needs_kick()
        self.device = DeviceQueue(self.memory, 0)
        self.device.set_up(layout, event_idx=event_idx, indirect=True)
        self.device.last_avail = self.device.used_idx = start
        self.memory.u16[layout.used_idx >> 1] = start
        self.device.set_notification(True)
        self.added = 0

    def add(self, readable: list[Segment], writable: list[Segment], indirect: bool) -> Chain:
        """Add and publish a chain; its indirect table overwrites none that is outstanding."""
        table = TABLES + TABLE_SIZE * (self.added % TABLE_COUNT) if indirect else None
        head = self.driver.add(readable, writable, table)
        self.driver.publish(head)
        self.added += 1
        return Chain(head, tuple(readable), tuple(writable))


@given(sizes, bases, starts, st.booleans(), st.lists(st.tuples(chains, st.booleans()), max_size=12))
def test_the_device_pops_what_the_driver_wrote(
    size: int,
    base: int,
    start: int,
    event_idx: bool,
    requests: list[tuple[tuple[list[Segment], list[Segment]], bool]],
) -> None:
    ring = Ring(size, base, start, event_idx)
    published = []
    for (readable, writable), indirect in requests:
        needed = 1 if indirect else len(readable) + len(writable)
        if needed <= ring.driver.num_free:
            published.append(ring.add(readable, writable, indirect))
    assert list(iter(ring.device.pop, None)) == published
    for number, chain in enumerate(published):
        ring.device.push(chain.head, number)
        assert ring.driver.get_used() == (chain.head, number)
        assert ring.driver.release(chain.head)
    assert (ring.driver.num_free, ring.driver.outstanding, ring.device.inuse) == (size, {}, 0)


def test_a_ring_works_for_more_than_one_turn_of_its_indices() -> None:
    ring = Ring(4, 0, 0, event_idx=True)
    for number in range(U16 + 10):
        chain = ring.add([(0, 1)], [(64, number + 1 & 0xFFF or 1)], indirect=False)
        assert ring.driver.needs_kick()
        assert ring.device.pop() == chain
        ring.device.push(chain.head, number)
        assert ring.driver.get_used() == (chain.head, number)
        assert ring.driver.release(chain.head)


class RingMachine(RuleBasedStateMachine):
    """A correct pair against a plain model: three queues of chains and a kick threshold."""

    @initialize(size=sizes, base=bases, start=starts, event_idx=st.booleans())
    def begin(self, size: int, base: int, start: int, event_idx: bool) -> None:
        self.ring = Ring(size, base, start, event_idx)
        self.start, self.event_idx = start, event_idx
        self.available: deque[Chain] = deque()
        self.taken: list[Chain] = []
        self.used: deque[tuple[int, int]] = deque()
        self.published = self.popped = self.pushed = self.kick_asked = 0
        self.wanted = True  # the device's flag
        self.wanted_at = 0  # the device's event: the publish at which it asks for a kick

    @rule(chain=chains, indirect=st.booleans())
    def publish(self, chain: tuple[list[Segment], list[Segment]], indirect: bool) -> None:
        needed = 1 if indirect else len(chain[0]) + len(chain[1])
        free = self.ring.driver.num_free
        try:
            self.available.append(self.ring.add(*chain, indirect))
        except QueueFull:
            assert needed > free
        else:
            assert needed == free - self.ring.driver.num_free
            self.published += 1

    @rule()
    def pop(self) -> None:
        expected = self.available.popleft() if self.available else None
        assert self.ring.device.empty() == (expected is None)
        assert self.ring.device.pop() == expected
        if expected is not None:
            self.taken.append(expected)
            self.popped += 1
            if self.wanted:
                self.wanted_at = self.popped

    @rule(data=st.data())
    def push(self, data: st.DataObject) -> None:
        if self.taken:
            chain = self.taken.pop(data.draw(st.integers(0, len(self.taken) - 1)))
            assert self.ring.device.push(chain.head, self.pushed)
            self.used.append((chain.head, self.pushed))
            self.pushed += 1

    @rule()
    def collect(self) -> None:
        expected = self.used.popleft() if self.used else None
        assert self.ring.driver.get_used() == expected
        if expected is not None:
            assert self.ring.driver.release(expected[0])

    @rule(on=st.booleans())
    def notification(self, on: bool) -> None:
        self.ring.device.set_notification(on)
        self.wanted = on
        if on:
            self.wanted_at = self.published

    @rule()
    def kick(self) -> None:
        passed = self.kick_asked <= self.wanted_at < self.published
        assert self.ring.driver.needs_kick() == (passed if self.event_idx else self.wanted)
        self.kick_asked = self.published

    @invariant()
    def nothing_is_lost(self) -> None:
        driver, device = self.ring.driver, self.ring.device
        outstanding = driver.outstanding
        assert driver.num_free + sum(map(len, outstanding.values())) == driver.layout.size
        known = [chain.head for chain in (*self.available, *self.taken)]
        assert sorted(outstanding) == sorted([*known, *(head for head, _ in self.used)])
        assert device.inuse == len(self.taken) == self.popped - self.pushed
        assert device.avail_idx() == (self.start + self.published) & U16
        assert device.last_avail == (self.start + self.popped) & U16
        assert device.used_idx == (self.start + self.pushed) & U16


TestRingMachine = RingMachine.TestCase
