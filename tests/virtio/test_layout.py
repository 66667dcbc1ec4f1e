"""The placement of rings, and the arithmetic of event indices."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.virtio.layout import DESCRIPTOR, MAX_RING_SIZE, RingLayout, vring_need_event
from vblkfuzz.virtio.ring_error import RingError, RingMisaligned, RingOutside, RingSizeInvalid

sizes = st.integers(0, 15).map(lambda bits: 1 << bits)
u16 = st.integers(0, 0xFFFF)


@given(sizes, st.integers(0, 1 << 20))
def test_placed_areas_are_aligned_and_do_not_overlap(size: int, base: int) -> None:
    layout = RingLayout.place(size, base)
    layout.check(layout.end)
    assert base <= layout.desc < base + 16
    assert layout.desc_end == layout.desc + 16 * size <= layout.avail
    assert layout.avail_end == layout.avail + 6 + 2 * size <= layout.used
    assert layout.used_end == layout.used + 6 + 8 * size == layout.end


def test_offsets_of_a_ring_of_four() -> None:
    layout = RingLayout.place(4, 0)
    assert layout == RingLayout(size=4, desc=0, avail=64, used=80)
    assert (layout.avail_flags, layout.avail_idx, layout.used_event) == (64, 66, 76)
    assert (layout.used_flags, layout.used_idx, layout.avail_event) == (80, 82, 116)
    assert [layout.avail_ring(slot) for slot in (0, 3)] == [68, 74]
    assert [layout.used_ring(slot) for slot in (0, 3)] == [84, 108]
    assert layout.end == 118
    assert DESCRIPTOR.size == 16


def test_end_is_the_end_of_the_highest_area_in_any_order() -> None:
    assert RingLayout(size=4, desc=256, avail=128, used=0).end == 256 + 64


@given(sizes)
def test_one_byte_less_of_memory_is_too_little(size: int) -> None:
    layout = RingLayout.place(size, 0)
    with pytest.raises(RingOutside):
        layout.check(layout.end - 1)


@pytest.mark.parametrize(
    ("layout", "error"),
    [
        (RingLayout(0, 0, 64, 128), RingSizeInvalid),
        (RingLayout(3, 0, 64, 128), RingSizeInvalid),
        (RingLayout(-4, 0, 64, 128), RingSizeInvalid),
        (RingLayout(2 * MAX_RING_SIZE, 0, 64, 128), RingSizeInvalid),
        (RingLayout(4, 8, 128, 256), RingMisaligned),
        (RingLayout(4, 0, 65, 256), RingMisaligned),
        (RingLayout(4, 0, 64, 130), RingMisaligned),
        (RingLayout(4, -16, 64, 128), RingOutside),
        (RingLayout(4, 0, 64, 1 << 40), RingOutside),
    ],
)
def test_bad_rings_are_refused(layout: RingLayout, error: type[RingError]) -> None:
    with pytest.raises(error):
        layout.check(4096)


@given(event=u16, old=u16, moved=st.integers(0, 64), near=st.integers(-3, 67) | st.none())
def test_need_event_means_that_the_event_entry_was_passed(
    event: int, old: int, moved: int, near: int | None
) -> None:
    if near is not None:
        event = (old + near) & 0xFFFF
    passed = {(old + step) & 0xFFFF for step in range(moved)}
    assert vring_need_event(event, (old + moved) & 0xFFFF, old) == (event in passed)
