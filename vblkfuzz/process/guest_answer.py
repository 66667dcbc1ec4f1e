"""The answer of the guest process to a request: the events of its driver, and what it published.

As bytes it has the number of events (u16) and the events (`trace.event.EVENT_RECORD` each). After
them of each PUBLISH: head (u16), span (u16), number of segments (u8), and of each segment its
address (u64) and length (u32).
"""

from __future__ import annotations

from itertools import starmap
from struct import Struct
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.driver.published import Published
from vblkfuzz.trace.event import EVENT_RECORD, as_events

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.trace.event import Event

_COUNT: Final = Struct("<H")
_CHAIN: Final = Struct("<HHB")
_SEGMENT: Final = Struct("<QI")


class GuestAnswer(NamedTuple):
    """The result of an operation of the guest."""

    events: list[Event]
    """Events of the driver, in order; turns and epochs are not set."""
    published: list[Published]
    """Of each PUBLISH among them: what it made available."""
    lost: bool
    """Whether the device's connection ended during the operation."""


def pack(events: Sequence[Event], published: Sequence[Published]) -> bytes:
    """Return events and chains as bytes."""
    parts = [_COUNT.pack(len(events)), *starmap(EVENT_RECORD.pack, events)]
    for head, span, writable in published:
        parts.append(_CHAIN.pack(head, span, len(writable)))
        parts += starmap(_SEGMENT.pack, writable)
    return b"".join(parts)


def unpack(data: bytes, *, lost: bool) -> GuestAnswer:
    """Return the answer that `pack` has made bytes of."""
    (count,) = _COUNT.unpack_from(data)
    end = _COUNT.size + count * EVENT_RECORD.size
    events = as_events(EVENT_RECORD.iter_unpack(data[_COUNT.size : end]))
    published: list[Published] = []
    while end < len(data):
        head, span, segments = _CHAIN.unpack_from(data, end)
        begin, end = end + _CHAIN.size, end + _CHAIN.size + segments * _SEGMENT.size
        published.append(Published(head, span, tuple(_SEGMENT.iter_unpack(data[begin:end]))))
    return GuestAnswer(events, published, lost)
