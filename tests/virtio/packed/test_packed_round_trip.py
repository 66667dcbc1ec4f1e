"""Both ends of a packed ring: no chain is lost, duplicated or changed, whatever its size."""

from __future__ import annotations

from collections import deque
from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from vblkfuzz.virtio.chain import Chain, Segment
from vblkfuzz.virtio.memory import GuestMemory
from vblkfuzz.virtio.packed.device_queue import DeviceQueue
from vblkfuzz.virtio.packed.driver_queue import DriverQueue
from vblkfuzz.virtio.packed.layout import RingLayout
from vblkfuzz.virtio.queue import QueueFull

MEMORY_SIZE: Final = 1 << 14
TABLES: Final = 1 << 13
TABLE_SIZE: Final = 64
TABLE_COUNT: Final = (MEMORY_SIZE - TABLES) // TABLE_SIZE
U16: Final = 0xFFFF

sizes = st.integers(1, 9) | st.sampled_from([16, 31, 64])
starts = st.integers(0, U16) | st.integers(0xFFF0, U16)
segments = st.lists(st.tuples(st.integers(0, 4095), st.integers(1, 4096)), max_size=2)
chains = st.tuples(segments, segments).filter(lambda pair: bool(pair[0] or pair[1]))


def test_a_ring_works_for_more_than_one_turn_of_its_positions() -> None:
    machine = PackedRingMachine()
    machine.begin(size=3, start=0xFFF0, event_idx=True)
    for number in range(100):
        machine.publish(([(0, 1)], [(64, number + 1)][: number % 2]), indirect=False)
        machine.kick()
        machine.pop()
        machine.push_one(0)
        machine.call()
        machine.collect()
        machine.nothing_is_lost()
    machine.teardown()


class PackedRingMachine(RuleBasedStateMachine):
    """A correct pair against a plain model: three queues of chains and two thresholds.

    `spans` counts descriptors from the begin on, so it never wraps.
    """

    @initialize(size=sizes, start=starts, event_idx=st.booleans())
    def begin(self, size: int, start: int, event_idx: bool) -> None:
        self.memory = GuestMemory(memoryview(bytearray(MEMORY_SIZE)))
        self.layout = RingLayout.place(size, 0)
        self.driver = DriverQueue(self.memory, self.layout, event_idx, start)
        self.device = DeviceQueue(self.memory, 0)
        self.device.set_up(self.layout, event_idx=event_idx, indirect=True)
        self.device.begin_at(start)
        self.device.set_notification(True)
        self.start, self.event_idx = start, event_idx
        self.available: deque[tuple[Chain, int]] = deque()
        self.taken: list[tuple[Chain, int]] = []
        self.used: deque[tuple[Chain, int, int]] = deque()
        self.published = self.popped = self.pushed = self.collected = 0
        self.added = self.shown = self.read = self.returned = self.seen = 0
        self.kick_asked = self.called = 0
        self.wanted, self.wanted_at = True, 0
        self.suppressed = False
        self.call_at: int | None = None
        self.checked = False

    @rule(chain=chains, indirect=st.booleans())
    def publish(self, chain: tuple[list[Segment], list[Segment]], indirect: bool) -> None:
        readable, writable = chain
        needed = 1 if indirect else len(readable) + len(writable)
        table = TABLES + TABLE_SIZE * (self.added % TABLE_COUNT) if indirect else None
        free = self.driver.num_free
        try:
            head = self.driver.add(readable, writable, table)
        except QueueFull:
            assert needed > free
            return
        self.added += 1
        assert self.device.empty() == (not self.available)
        self.driver.publish_raw(head)
        assert needed == free - self.driver.num_free
        self.published += 1
        self.shown += needed
        self.available.append((Chain(head, tuple(readable), tuple(writable)), needed))

    @rule()
    def pop(self) -> None:
        expected = self.available.popleft() if self.available else None
        assert self.device.empty() == (expected is None)
        assert self.device.pop() == (expected[0] if expected else None)
        if expected is not None:
            self.taken.append(expected)
            self.popped += 1
            self.read += expected[1]
            assert self.device.span == expected[1]
            if self.wanted:
                self.wanted_at = self.read

    @rule(data=st.data())
    def push(self, data: st.DataObject) -> None:
        if self.taken:
            self.push_one(data.draw(st.integers(0, len(self.taken) - 1)))

    def push_one(self, number: int) -> None:
        chain, span = self.taken.pop(number)
        assert self.device.push(chain.head, self.pushed)
        self.used.append((chain, span, self.pushed))
        self.pushed += 1
        self.returned += span

    @rule()
    def collect(self) -> None:
        expected = self.used.popleft() if self.used else None
        found = self.driver.get_used()
        assert found == ((expected[0].head, expected[2]) if expected else None)
        if expected is not None:
            assert self.driver.release(expected[0].head)
            self.collected += 1
            self.seen += expected[1]

    @rule(on=st.booleans())
    def notification(self, on: bool) -> None:
        self.device.set_notification(on)
        self.wanted = on
        if on:
            self.wanted_at = self.read
            assert self.device.would_be_kicked()
            assert self.device.asks_for_kicks()

    @rule()
    def kick(self) -> None:
        passed = self.kick_asked <= self.wanted_at < self.shown
        by_place = self.event_idx and self.wanted
        assert self.driver.needs_kick() == (passed if by_place else self.wanted)
        self.kick_asked = self.shown

    @rule(on=st.booleans())
    def no_interrupt(self, on: bool) -> None:
        self.driver.set_no_interrupt(on)
        self.suppressed, self.call_at = on, None

    @rule(ahead=st.integers(-2, 3))
    def used_event(self, ahead: int) -> None:
        place = self.driver.set_used_event(ahead)
        assert place == (self.start + self.seen + ahead) % self.layout.places
        if self.event_idx:
            self.suppressed, self.call_at = False, self.seen + ahead

    @rule()
    def call(self) -> None:
        found = self.device.should_call()
        if self.call_at is None:
            assert found == (not self.suppressed)
        elif self.checked:
            laps = (self.call_at + lap * self.layout.places for lap in range(-1, 2))
            passed = any(self.called <= at < self.returned for at in laps)
            assert found == passed or self.returned - self.called >= self.layout.places
        else:
            assert found
        self.checked, self.called = True, self.returned

    @rule()
    def move(self) -> None:
        """Another device goes on, as after a save."""
        progress = self.device.progress()
        new = DeviceQueue(self.memory, 0)
        new.set_up(self.layout, event_idx=self.event_idx, indirect=True)
        new.go_on_at(self.device.last_avail, progress)
        new.notification = self.device.notification
        self.device, self.checked = new, False

    @invariant()
    def nothing_is_lost(self) -> None:
        driver, device = self.driver, self.device
        assert driver.num_free + sum(map(len, driver.outstanding.values())) == self.layout.size
        known = [chain.head for chain, _ in (*self.available, *self.taken)]
        assert sorted(driver.outstanding) == sorted([*known, *(each[0].head for each in self.used)])
        assert device.inuse == len(self.taken) == self.popped - self.pushed
        assert driver.avail_idx == (self.start + self.published) & U16
        assert driver.last_used == (self.start + self.collected) & U16
        assert device.last_avail == (self.start + self.popped) & U16
        assert device.used_idx == (self.start + self.pushed) & U16


TestPackedRingMachine = PackedRingMachine.TestCase
