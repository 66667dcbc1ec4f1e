"""The base of a ring: an index, or the two places of a packed one."""

from __future__ import annotations

import pytest

from vblkfuzz.driver.memory_map import packed_layout, ring_layout
from vblkfuzz.targets.vhost.vring_base import base_of


@pytest.mark.parametrize("first", [0, 7, 0xFFFF])
def test_a_split_ring_begins_at_an_index(first: int) -> None:
    assert base_of(ring_layout(0, 8, 0), first) == first


@pytest.mark.parametrize(
    ("first", "place"),
    [(0, 0x8000), (7, 0x8007), (8, 0x0000), (15, 0x0007), (16, 0x8000), (0xFFFF, 0x0007)],
)
def test_a_packed_ring_begins_at_two_places(first: int, place: int) -> None:
    """The wrap counter is 1 in the first lap (virtio 1.2, 2.8.1), and in each other one after."""
    assert base_of(packed_layout(0, 8, 0), first) == place << 16 | place
