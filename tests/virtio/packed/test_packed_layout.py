"""Packed rings, byte for byte, against the text of virtio 1.2, section 2.8."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.virtio.packed.by_hand import (
    AVAIL,
    INDIRECT,
    LAYOUT,
    NEXT,
    USED,
    WRITE,
    descriptor,
    device,
    driver,
    memory,
    ring,
)
from vblkfuzz.virtio.chain import Chain
from vblkfuzz.virtio.memory import GuestMemory
from vblkfuzz.virtio.packed.layout import RingLayout
from vblkfuzz.virtio.queue import QueueFull
from vblkfuzz.virtio.ring_error import (
    AddressError,
    ChainLoops,
    ChainTooLong,
    DescriptorNotAvailable,
    HeadOutOfRange,
    IndirectLengthInvalid,
    IndirectNotNegotiated,
    IndirectOutside,
    IndirectWithNext,
    QueueSizeExceeded,
    ReadableAfterWritable,
    RingError,
    RingMisaligned,
    RingOutside,
    RingSizeInvalid,
    ZeroLength,
)


def test_areas() -> None:
    """2.8.10.1: a descriptor has 16 bytes, aligned to 16; an event structure 4, aligned to 4."""
    assert (LAYOUT.desc, LAYOUT.avail, LAYOUT.used, LAYOUT.end) == (64, 128, 132, 136)
    assert LAYOUT.driver_part() == slice(128, 132)
    assert LAYOUT.device_part() == slice(132, 136)
    assert LAYOUT.shared_part() == slice(64, 128)


@pytest.mark.parametrize(
    ("layout", "error"),
    [
        (RingLayout(0, 0, 0, 0), RingSizeInvalid),
        (RingLayout(32769, 0, 0, 0), RingSizeInvalid),
        (RingLayout(4, 8, 128, 132), RingMisaligned),
        (RingLayout(4, 0, 66, 132), RingMisaligned),
        (RingLayout(4, 0, 64, 70), RingMisaligned),
        (RingLayout(4, 4080, 0, 4), RingOutside),
        (RingLayout(4, 0, 4096, 64), RingOutside),
        (RingLayout(4, -16, 64, 68), RingOutside),
    ],
)
def test_a_wrong_layout(layout: RingLayout, error: type[RingError]) -> None:
    with pytest.raises(error):
        layout.check(4096)


def test_a_size_need_not_be_a_power_of_two() -> None:
    RingLayout.place(7, 0).check(4096)
    RingLayout.place(1, 0).check(4096)


@given(st.integers(1, 32768), st.integers(0, 0xFFFF))
def test_a_place_is_an_offset_and_a_wrap_counter(size: int, index: int) -> None:
    layout = RingLayout(size, 0, 0, 0)
    place = index % layout.places
    off_wrap = layout.off_wrap(place)
    assert (off_wrap & 0x7FFF, off_wrap >> 15) == (index % size, 1 - index // size % 2)
    assert layout.place_of(off_wrap) == place


def test_the_ring_is_zero_at_first() -> None:
    """2.8.13: the descriptor ring is zero-initialized."""
    found = memory()
    found.write(64, b"\xee" * 72)
    driver(found)
    assert found.read(64, 72) == bytes(72)


def test_a_chain_of_two_laps() -> None:
    """2.8.1, 2.8.6: AVAIL is the wrap counter and USED its inverse, in all descriptors."""
    found = memory()
    queue, end = driver(found), device(found)
    head = queue.add([(256, 16), (512, 8)], [(1024, 1)])
    assert ring(found, 1)[0][14:] == b"\0\0"  # its flags come last
    assert end.empty()
    assert end.pop() is None
    queue.publish_raw(head)
    assert ring(found) == [
        descriptor(256, 16, 0, AVAIL | NEXT),
        descriptor(512, 8, 0, AVAIL | NEXT),
        descriptor(1024, 1, 0, AVAIL | WRITE),
        bytes(16),
    ]
    assert end.pop() == Chain(0, ((256, 16), (512, 8)), ((1024, 1),))
    assert end.push(0, 1)
    # 2.8.6: one used descriptor for the list, over its first one; 2.8.1: both marks are set.
    assert ring(found, 1) == [descriptor(256, 1, 0, AVAIL | USED | WRITE)]
    assert queue.get_used() == (0, 1)
    assert queue.release(0)
    # The second chain goes over the end of the ring; behind it the wrap counter is 0.
    queue.publish_raw(queue.add([(256, 16)], [(512, 8)]))
    assert ring(found, 1) == [descriptor(512, 8, 0, USED | WRITE)]
    assert ring(found)[3] == descriptor(256, 16, 0, AVAIL | NEXT)
    assert end.pop() == Chain(0, ((256, 16),), ((512, 8),))
    assert end.push(0, 0)
    # 2.8.4: a length of 0 is told without the flag WRITE.
    assert ring(found)[3] == descriptor(256, 0, 0, AVAIL | USED)
    assert queue.get_used() == (0, 0)
    queue.release(0)
    # A used descriptor of the second lap has both marks clear.
    queue.publish_raw(queue.add([(256, 16)], []))
    assert ring(found)[1] == descriptor(256, 16, 0, USED)
    end.pop()
    end.push(0, 0)
    assert ring(found)[1] == descriptor(256, 0, 0, 0)
    assert queue.get_used() == (0, 0)
    assert queue.get_used() is None


def test_used_descriptors_are_in_the_order_of_completion() -> None:
    """2.8: they lie one behind the other, whichever chain they are of."""
    found = memory()
    queue, end = driver(found), device(found)
    for count in (1, 2):
        queue.publish_raw(queue.add([(256 * count, count)] * count, []))
    chains = [end.pop(), end.pop(), end.pop()]
    assert chains == [Chain(0, ((256, 1),), ()), Chain(1, ((512, 2),) * 2, ()), None]
    end.push(1, 0)
    assert ring(found, 1) == [descriptor(256, 0, 1, AVAIL | USED)]
    assert queue.get_used() == (1, 0)
    queue.release(1)
    assert (queue.num_free, queue.get_used()) == (3, None)
    end.push(0, 0)
    assert ring(found)[2] == descriptor(512, 0, 0, AVAIL | USED)
    assert queue.get_used() == (0, 0)


def test_an_indirect_table() -> None:
    """2.8.7: descriptors one behind the other; WRITE is their only flag, the id is reserved."""
    found = memory()
    queue, end = driver(found), device(found)
    head = queue.add([(256, 16)], [(512, 8), (600, 1)], 1024)
    queue.publish_raw(head)
    assert ring(found, 2) == [descriptor(1024, 48, 0, AVAIL | INDIRECT), bytes(16)]
    assert found.read(1024, 48) == b"".join(
        [descriptor(256, 16, 0, 0), descriptor(512, 8, 0, WRITE), descriptor(600, 1, 0, WRITE)]
    )
    # What is reserved is ignored, also WRITE beside INDIRECT.
    found.write(64 + 14, (AVAIL | INDIRECT | WRITE).to_bytes(2, "little"))
    found.write(1024, descriptor(256, 16, 77, INDIRECT | NEXT | USED))
    assert end.pop() == Chain(0, ((256, 16),), ((512, 8), (600, 1)))


R, W = (256, 1, 0, AVAIL), (256, 1, 0, AVAIL | WRITE)


@pytest.mark.parametrize(
    ("descriptors", "error"),
    [
        ([(256, 1, 4, AVAIL)], HeadOutOfRange),
        ([(256, 0, 0, AVAIL)], ZeroLength),
        ([(4095, 2, 0, AVAIL)], AddressError),
        ([(256, 1, 0, AVAIL | WRITE | NEXT), R], ReadableAfterWritable),
        ([(256, 1, 0, AVAIL | NEXT)], DescriptorNotAvailable),
        ([(256, 1, 0, AVAIL | NEXT), (256, 1, 0, AVAIL | USED)], DescriptorNotAvailable),
        ([(256, 1, 0, AVAIL | NEXT)] * 4, ChainLoops),
        ([(1024, 17, 0, AVAIL | INDIRECT)], IndirectLengthInvalid),
        ([(1024, 0, 0, AVAIL | INDIRECT)], IndirectLengthInvalid),
        ([(4090, 16, 0, AVAIL | INDIRECT)], IndirectOutside),
        ([(1024, 16, 0, AVAIL | INDIRECT | NEXT), W], IndirectWithNext),
        ([(256, 1, 0, AVAIL | NEXT), (1024, 16, 0, AVAIL | INDIRECT)], IndirectWithNext),
        ([(1024, 16, 0, AVAIL | INDIRECT)], ZeroLength),
    ],
)
def test_a_broken_chain(
    descriptors: list[tuple[int, int, int, int]], error: type[RingError]
) -> None:
    found = memory()
    driver(found)
    for number, each in enumerate(descriptors):
        found.write(64 + 16 * number, descriptor(*each))
    end = device(found)
    with pytest.raises(error):
        end.pop()
    assert (end.last_avail, end.inuse) == (0, 0)


def test_indirect_is_negotiated() -> None:
    found = memory()
    queue = driver(found)
    queue.publish_raw(queue.add([(256, 1)], [], 1024))
    with pytest.raises(IndirectNotNegotiated):
        device(found, indirect=False).pop()


def test_a_table_that_is_too_long() -> None:
    found = GuestMemory(memoryview(bytearray(32768)))
    driver(found)
    found.write(64, descriptor(1024, 16 * 1025, 0, AVAIL | INDIRECT))
    with pytest.raises(ChainTooLong):
        device(found).pop()


def test_as_many_chains_as_entries_are_in_use() -> None:
    found = memory()
    queue, end = driver(found), device(found)
    queue.publish_raw(queue.add([(256, 1)], []))
    end.inuse = 4
    with pytest.raises(QueueSizeExceeded):
        end.pop()


def test_a_full_ring_takes_nothing() -> None:
    found = memory()
    queue = driver(found)
    queue.add([(256, 1)] * 3, [])
    before = found.read(0, 4096)
    for chain in ([(256, 1)] * 2, [(256, 1)] * 9):
        with pytest.raises(QueueFull):
            queue.add(chain, [])
    with pytest.raises(ValueError, match="at least one segment"):
        queue.add([], [])
    with pytest.raises(AddressError):
        queue.add([(256, 1)], [], 4090)
    queue.add([(256, 1)], [])
    with pytest.raises(QueueFull):
        queue.add([(256, 1)], [], 1024)
    assert found.read(1024, 64) == before[1024:1088]


def test_a_foreign_id_frees_nothing() -> None:
    found = memory()
    queue = driver(found)
    queue.publish_raw(queue.add([(256, 1)] * 2, []))
    found.write(64, descriptor(0, 5, 9, AVAIL | USED))
    assert queue.get_used() == (9, 5)
    assert not queue.release(9)
    assert (queue.num_free, queue.last_used) == (2, 1)


def test_a_chain_that_is_published_again() -> None:
    found = memory()
    queue, end = driver(found), device(found)
    head = queue.add([(256, 1)], [(512, 1)])
    assert (queue.publish_raw(head), queue.publish_raw(head)) == (1, 2)
    assert queue.publish_raw(head) == 2  # no room
    assert end.pop() == end.pop() == Chain(0, ((256, 1),), ((512, 1),))
    assert end.pop() is None


def test_a_raw_descriptor_keeps_id_and_marks() -> None:
    found = memory()
    queue = driver(found)
    head = queue.add([(256, 1), (257, 1)], [])
    queue.write_descriptor(0, 700, 2, WRITE, 9)
    queue.write_descriptor(1, 701, 3, NEXT, 9)
    assert ring(found, 2) == [descriptor(700, 2, 0, 0), descriptor(701, 3, 0, AVAIL | NEXT)]
    queue.publish_raw(head)
    assert ring(found, 1) == [descriptor(700, 2, 0, AVAIL | WRITE)]
    with pytest.raises(ValueError, match="below 4"):
        queue.write_descriptor(4, 0, 0, 0, 0)
