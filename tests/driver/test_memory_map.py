from __future__ import annotations

from itertools import pairwise

from vblkfuzz.driver.memory_map import BANK_BYTES, ORIGIN, QUEUE_BYTES, SLOTS, ring_layout
from vblkfuzz.limits import (
    GUEST_MEMORY_SIZE,
    MAX_QUEUE_SIZE,
    MAX_QUEUES,
    MAX_REQUEST_SECTORS,
    QUEUE_SIZES,
    SECTOR_SIZE,
)


def areas() -> list[tuple[int, int]]:
    """Return each area of guest memory that the driver uses, as (start, end)."""
    found = []
    for index in range(MAX_QUEUES):
        for bank in range(2):
            layout = ring_layout(index, MAX_QUEUE_SIZE, bank)
            found.append((layout.desc, layout.end))
        for slot in SLOTS[index]:
            found += [
                (slot.header, slot.header + 16),
                (slot.segment, slot.segment + 16),
                (slot.status, slot.status + 1),
                (slot.table, slot.table + 5 * 16),
                (slot.data, slot.data + MAX_REQUEST_SECTORS * SECTOR_SIZE),
            ]
    return sorted(found)


def test_nothing_overlaps() -> None:
    placed = areas()
    assert all(before[1] <= after[0] for before, after in pairwise(placed))
    assert placed[-1][1] <= GUEST_MEMORY_SIZE


def test_a_queue_stays_in_its_range() -> None:
    for index in range(MAX_QUEUES):
        start, end = ORIGIN + index * QUEUE_BYTES, ORIGIN + (index + 1) * QUEUE_BYTES
        for size in QUEUE_SIZES:
            assert all(
                start <= ring_layout(index, size, bank).desc < start + 2 * BANK_BYTES
                for bank in range(2)
            )
        assert all(start <= min(slot) < max(slot) < end for slot in SLOTS[index])


def test_rings_are_aligned() -> None:
    for index in range(MAX_QUEUES):
        for size in QUEUE_SIZES:
            for bank in range(2):
                ring_layout(index, size, bank).check(GUEST_MEMORY_SIZE)


def test_no_ring_lies_at_address_0() -> None:
    """QEMU treats a ring at address 0 as not set up."""
    assert min(start for start, _ in areas()) >= ORIGIN
