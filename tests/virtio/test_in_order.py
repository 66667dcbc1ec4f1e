"""F_IN_ORDER on rings of both forms: one used entry may stand for several chains (2.7.9, 2.8.9)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.virtio.in_order import InOrder
from vblkfuzz.virtio.layout import DESCRIPTOR_SIZE, RingLayout
from vblkfuzz.virtio.memory import GuestMemory
from vblkfuzz.virtio.packed import device_queue as packed
from vblkfuzz.virtio.packed import driver_queue as packed_driver
from vblkfuzz.virtio.packed.layout import RingLayout as PackedLayout
from vblkfuzz.virtio.queue import DeviceQueue, DriverQueue
from vblkfuzz.virtio.split import device_queue as split
from vblkfuzz.virtio.split import driver_queue as split_driver

MEMORY: Final = 1 << 14
U16: Final = 0xFFFF
sizes = st.integers(1, 5).map(lambda bits: 1 << bits)
starts = st.sampled_from([0, 0x7FFF, 0xFFF8, U16])
batches = st.lists(st.lists(st.integers(1, 3), min_size=1, max_size=4), max_size=12)
"""Used entries: how many descriptors each of the chains has that it stands for."""


class SplitPair:
    def __init__(self, size: int, start: int) -> None:
        self.memory = GuestMemory(memoryview(bytearray(MEMORY)))
        self.layout = RingLayout.place(size, 0)
        self.driver: DriverQueue = split_driver.DriverQueue(
            self.memory, self.layout, False, start, in_order=True
        )
        self.device: DeviceQueue = split.DeviceQueue(self.memory, 0)
        self.device.set_up(self.layout, event_idx=False, indirect=False)
        self.device.begin_at(start)

    def use(self, heads: list[int], length: int) -> None:
        """Return chains by the entry of the last one."""
        device = self.device
        at = self.layout.used_ring(device.used_idx % self.layout.size) >> 2
        self.memory.u32[at], self.memory.u32[at + 1] = heads[-1], length
        device.used_idx = (device.used_idx + len(heads)) & U16
        device.inuse -= len(heads)
        self.memory.u16[self.layout.used_idx >> 1] = device.used_idx


class PackedPair:
    def __init__(self, size: int, start: int) -> None:
        self.memory = GuestMemory(memoryview(bytearray(MEMORY)))
        self.layout = PackedLayout.place(size, 0)
        self.driver: DriverQueue = packed_driver.DriverQueue(
            self.memory, self.layout, False, start, in_order=True
        )
        self.device: packed.DeviceQueue = packed.DeviceQueue(self.memory, 0)
        self.device.set_up(self.layout, event_idx=False, indirect=False)
        self.device.begin_at(start)

    def use(self, heads: list[int], length: int) -> None:
        """Return chains by the descriptor of the last one, and skip those of the others."""
        device, layout = self.device, self.layout
        device.push(heads[-1], length)
        progress = device.progress()
        assert progress is not None
        skipped = sum(self.driver.span(head) for head in heads[:-1])
        used = layout.off_wrap((layout.place_of(progress.used) + skipped) % layout.places)
        idx = (progress.used_idx + len(heads) - 1) & U16
        device.go_on_at(device.last_avail, progress._replace(used=used, used_idx=idx))


Pair = SplitPair | PackedPair
FORMS: Final[tuple[Callable[[int, int], Pair], ...]] = (SplitPair, PackedPair)


def send(pair: Pair, lengths: list[int]) -> list[int]:
    """Publish a chain of so many descriptors each, as far as there is room."""
    heads = []
    for length in lengths:
        if length <= pair.driver.num_free:
            head = pair.driver.add([(0, 1)] * (length - 1), [(64, 10 + length)])
            pair.driver.publish_raw(head)
            chain = pair.device.pop()
            assert chain is not None
            assert chain.head == head
            heads.append(head)
    return heads


def collected(pair: Pair) -> list[tuple[int, int]]:
    found = []
    while (used := pair.driver.get_used()) is not None:
        assert pair.driver.release(used[0])
        found.append(used)
    return found


@given(st.sampled_from(FORMS), sizes, starts, batches)
def test_a_batch_is_all_chains_up_to_its_id(
    form: Callable[[int, int], Pair], size: int, start: int, entries: list[list[int]]
) -> None:
    """What was skipped has been used completely; the last one has the length of the entry."""
    pair = form(size, start)
    for number, lengths in enumerate(entries):
        heads = send(pair, lengths)
        spans = [10 + len(pair.driver.outstanding[head]) for head in heads]
        if heads:
            pair.use(heads, number)
            assert collected(pair) == [
                *zip(heads[:-1], spans[:-1], strict=True),
                (heads[-1], number),
            ]
        assert pair.driver.get_used() is None
        assert pair.driver.num_free == size
        assert pair.driver.last_used == pair.device.used_idx == pair.device.last_avail


@given(sizes, starts, st.lists(st.integers(1, 3), max_size=40))
def test_a_split_ring_uses_descriptors_in_the_order_of_the_ring(
    size: int, start: int, lengths: list[int]
) -> None:
    """From offset 0 on, and again after the last (2.7.5)."""
    pair = SplitPair(size, start)
    following = 0
    for length in lengths:
        for head in send(pair, [length]):
            offsets = pair.driver.outstanding[head]
            assert offsets == [(following + number) % size for number in range(length)]
            following += length
            pair.use([head], 0)
            collected(pair)


@given(st.sampled_from(FORMS), sizes, starts, st.lists(st.integers(1, 2), max_size=30))
def test_a_device_may_use_each_chain_by_an_entry_of_its_own(
    form: Callable[[int, int], Pair], size: int, start: int, lengths: list[int]
) -> None:
    pair = form(size, start)
    for length in lengths:
        heads = send(pair, [length, 1])
        for head in heads:
            assert pair.device.push(head, head + 7)
        assert collected(pair) == [(head, head + 7) for head in heads]


def test_an_entry_that_cannot_be_a_batch_is_alone() -> None:
    """The used idx covers one chain, so the older one is not used."""
    pair = SplitPair(8, 0)
    older, newer = send(pair, [2, 2])
    pair.device.push(newer, 5)
    assert collected(pair) == [(newer, 5)]
    pair.device.push(older, 6)
    assert collected(pair) == [(older, 6)]


@pytest.mark.parametrize("head", [3, 77])
def test_a_foreign_id_stands_for_itself(head: int) -> None:
    order = InOrder()
    order.add(1, [(0, 8)])
    order.publish(1)
    order.publish(9)
    assert order.used(head, 4, 8) == [(head, 4)]
    assert order.used(1, 8, 8) == [(1, 8)]
    assert order.used(1, 8, 8) == [(1, 8)]


@given(sizes.filter(lambda size: size >= 8), starts, st.integers(1, 2), st.integers(1, 2))
def test_the_driver_looks_ahead_over_batches(size: int, start: int, first: int, then: int) -> None:
    """Each entry lies behind all chains of the one before; looking changes nothing."""
    pair = PackedPair(size, start)
    heads = send(pair, [2] * (first + then))
    places = [pair.driver.outstanding[heads[at]][0] for at in (0, first)]
    pair.use(heads[:first], 0)
    pair.use(heads[first:], 0)
    driver = pair.driver
    assert isinstance(driver, packed_driver.DriverQueue)
    for _ in range(2):
        found = {(each.start - pair.layout.desc) // DESCRIPTOR_SIZE for each in driver.returned()}
        assert found == set(places)
    assert [head for head, _ in collected(pair)] == heads
