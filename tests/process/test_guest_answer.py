"""What the guest process tells, as bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vblkfuzz.driver.published import Published
from vblkfuzz.process.guest_answer import GuestAnswer, pack, unpack
from vblkfuzz.trace.event import Event

U8, U32 = st.integers(0, 0xFF), st.integers(0, 0xFFFF_FFFF)
U16 = st.integers(0, 0xFFFF)
SEGMENTS = st.lists(st.tuples(st.integers(0, 2**64 - 1), U32), max_size=30).map(tuple)
EVENTS = st.builds(Event, U32, *[U8] * 4, *[U16] * 4, path=st.integers(0, 2**64 - 1), length=U32)
PUBLISHED = st.builds(Published, U16, U16, SEGMENTS)


@given(st.lists(EVENTS, max_size=5), st.lists(PUBLISHED, max_size=5), st.booleans())
def test_it_is_read_as_it_was_written(
    some: list[Event], published: list[Published], lost: bool
) -> None:
    told = GuestAnswer(some, published, lost)
    assert unpack(pack(told.events, told.published), lost=lost) == told
