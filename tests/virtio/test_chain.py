"""For any bytes in memory, the walk ends with a chain inside guest memory or with a RingError."""

from __future__ import annotations

from typing import Final

from hypothesis import event, given
from hypothesis import strategies as st

from vblkfuzz.virtio.chain import Chain, walk_chain
from vblkfuzz.virtio.layout import (
    DESC_F_INDIRECT,
    DESC_F_NEXT,
    DESC_F_WRITE,
    DESCRIPTOR,
    RingLayout,
)
from vblkfuzz.virtio.memory import GuestMemory
from vblkfuzz.virtio.ring_error import RingError
from vblkfuzz.virtio.split.device_queue import DeviceQueue

SIZE: Final = 8
MEMORY_SIZE: Final = 1024
CANARY: Final = b"\xa5" * 64
LAYOUT: Final = RingLayout.place(SIZE, 0)

Descriptor = tuple[int, int, int, int]
u16 = st.integers(0, 0xFFFF)
addresses = st.integers(0, MEMORY_SIZE // 16).map(lambda block: 16 * block)
lengths = st.sampled_from([0, 1, 16, 32, 48, 64, MEMORY_SIZE])
likely = st.tuples(addresses, lengths, st.integers(0, 7), st.integers(0, SIZE))
wild = st.tuples(st.integers(0, (1 << 64) - 1), st.integers(0, (1 << 32) - 1), u16, u16)
descriptors = st.lists(likely | wild, min_size=MEMORY_SIZE // 16, max_size=MEMORY_SIZE // 16)


def hostile_memory(table: list[Descriptor]) -> tuple[bytearray, GuestMemory]:
    """Return memory between canaries, full of descriptors: any address is an indirect table."""
    inside = b"".join(DESCRIPTOR.pack(*fields) for fields in table)
    backing = bytearray(CANARY + inside + CANARY)
    return backing, GuestMemory(memoryview(backing)[len(CANARY) : -len(CANARY)])


def assert_sound(chain: Chain) -> None:
    segments = chain.readable + chain.writable
    assert 0 <= chain.head < SIZE
    assert segments
    assert all(length > 0 and address >= 0 for address, length in segments)
    assert all(address + length <= MEMORY_SIZE for address, length in segments)


@given(descriptors, st.integers(0, SIZE), st.booleans())
def test_a_hostile_walk_ends_within_memory(
    table: list[Descriptor], head: int, indirect: bool
) -> None:
    backing, memory = hostile_memory(table)
    before = bytes(backing)
    try:
        chain = walk_chain(memory, LAYOUT, head, indirect)
    except RingError as error:
        event(type(error).__name__)
    else:
        event("chain")
        assert_sound(chain)
    assert backing == before


@given(descriptors, u16, st.lists(u16, min_size=SIZE, max_size=SIZE), st.booleans(), st.booleans())
def test_pop_from_a_hostile_ring_touches_avail_event_only(
    table: list[Descriptor], avail_idx: int, heads: list[int], event_idx: bool, near: bool
) -> None:
    backing, memory = hostile_memory(table)
    for slot, head in enumerate(heads):
        memory.u16[LAYOUT.avail_ring(slot) >> 1] = head % (SIZE + 1) if near else head
    memory.u16[LAYOUT.avail_idx >> 1] = avail_idx % (SIZE + 2) if near else avail_idx
    device = DeviceQueue(memory, 0)
    device.set_up(LAYOUT, event_idx=event_idx, indirect=True)
    before = bytearray(backing)
    popped = 0
    try:
        while chain := device.pop():
            assert_sound(chain)
            popped += 1
    except RingError as error:
        event(type(error).__name__)
    assert popped == device.inuse <= SIZE
    at = len(CANARY) + LAYOUT.avail_event
    before[at : at + 2] = backing[at : at + 2]
    assert backing == before


@given(st.binary(min_size=MEMORY_SIZE, max_size=MEMORY_SIZE))
def test_pop_from_random_bytes(data: bytes) -> None:
    memory = GuestMemory(memoryview(bytearray(data)))
    device = DeviceQueue(memory, 0)
    device.set_up(LAYOUT, event_idx=False, indirect=True)
    try:
        chain = device.pop()
    except RingError:
        return
    if chain is not None:
        assert_sound(chain)


def memory_with(*table: Descriptor) -> GuestMemory:
    rest = [(0, 0, 0, 0)] * (MEMORY_SIZE // 16 - len(table))
    return hostile_memory([*table, *rest])[1]


def test_order_and_direction_are_kept() -> None:
    memory = memory_with(
        (16, 4, DESC_F_WRITE | DESC_F_NEXT, 3),
        (32, 2, DESC_F_NEXT, 2),
        (48, 3, DESC_F_NEXT, 0),
        (64, 1, DESC_F_WRITE, 7),
    )
    assert walk_chain(memory, LAYOUT, 1, False) == Chain(1, ((32, 2), (48, 3)), ((16, 4), (64, 1)))


def test_a_chain_may_use_every_descriptor_and_every_byte() -> None:
    last = SIZE - 1
    memory = memory_with(*[(0, MEMORY_SIZE, DESC_F_NEXT, n + 1) for n in range(last)], (0, 1, 0, 0))
    assert len(walk_chain(memory, LAYOUT, 0, False).readable) == SIZE


def test_an_indirect_table_may_follow_direct_descriptors_and_its_write_flag_is_ignored() -> None:
    memory = memory_with(
        (16, 4, DESC_F_NEXT, 1),
        (512, 32, DESC_F_INDIRECT | DESC_F_WRITE, 0),
    )
    DESCRIPTOR.pack_into(memory.bytes, 512, 32, 5, DESC_F_NEXT, 1)
    DESCRIPTOR.pack_into(memory.bytes, 528, 48, 6, DESC_F_WRITE, 0)
    assert walk_chain(memory, LAYOUT, 0, True) == Chain(0, ((16, 4), (32, 5)), ((48, 6),))


def test_an_indirect_table_may_be_longer_than_the_ring() -> None:
    memory = memory_with((512, 320, DESC_F_INDIRECT, 0))
    for index in range(20):
        flags = DESC_F_NEXT if index < 19 else 0
        DESCRIPTOR.pack_into(memory.bytes, 512 + 16 * index, index, 1, flags, index + 1)
    chain = walk_chain(memory, LAYOUT, 0, True)
    assert chain.readable == tuple((index, 1) for index in range(20))
