"""Shapes of requests: other forms than header, one data buffer, status (virtio 1.2, 2.7.4, 5.2.6).

A row says which request types a shape changes, and how a device has to answer it then. A request of
another type is sent plain. `driver.shape` writes the buffers; rules ask `answer`.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

REQUESTS: Final = ("in", "out", "flush", "get_id", "discard", "write_zeroes", "unsupported")
"""Request types of `publish` and `publish_kick`, by code."""


ODD_BYTES: Final = 700
"""Length of the data of an `odd_length`."""


class Answer(IntEnum):
    """How a device has to answer."""

    SERVED = 0
    """As the plain request: the same bytes are moved, the status is the same."""
    MAY_REFUSE = 1
    """As the plain request, or with IOERR or UNSUPP."""
    IOERR = 2
    """With IOERR; no data is moved."""
    UNSUPP = 3
    """With UNSUPP; no data is moved."""
    REFUSED = 4
    """With IOERR or UNSUPP; no data is moved."""


class Shape(NamedTuple):
    """One shape."""

    name: str
    requests: tuple[str, ...]
    """Request types that it changes."""
    answer: Answer = Answer.SERVED
    but: tuple[tuple[str, Answer], ...] = ()
    """Request types with another answer."""


_MOVED: Final = ("in", "out")
_DATA: Final = ("in", "out", "get_id", "discard", "write_zeroes")
_CLEARS: Final = ("discard", "write_zeroes")

_ROWS: Final = (
    Shape("plain", ()),
    # The data in two buffers; of a read or write, the first one is behind the second in memory.
    Shape("split", _DATA),
    # The data in buffers of 1, 7 and 100 bytes, then the rest.
    Shape("tiny", _DATA),
    # The data in so many buffers that the chain is as long as the ring.
    Shape("long", _MOVED),
    # The header in buffers of 4 and 12 bytes.
    Shape("header_split", REQUESTS),
    # The header and the data that the device reads in one buffer.
    Shape("header_joined", ("out", *_CLEARS)),
    # The data that the device writes and the status in one buffer.
    Shape("status_joined", ("in", "get_id")),
    # An indirect table at an odd address behind the data.
    Shape("table_moved", REQUESTS),
    # ODD_BYTES of data, no multiple of 512 (5.2.6.1; QEMU virtio_blk_sect_range_ok: IOERR).
    Shape("odd_length", _MOVED, Answer.REFUSED),
    # Sector 2^64-1: one sector more is sector 0 in 64 bits.
    Shape("far_sector", (*_MOVED, *_CLEARS), Answer.IOERR),
    # Sector 2^55: as a number of bytes it is 0 in 64 bits.
    Shape("wrapping_sector", (*_MOVED, *_CLEARS), Answer.IOERR),
    # 2^32-1 sectors.
    Shape("huge_segment", _CLEARS, Answer.IOERR),
    # Flag unmap, which a discard must not have (5.2.6.2).
    Shape("unmap", _CLEARS, but=(("discard", Answer.UNSUPP),)),
    # A flag that the standard does not know (5.2.6.2).
    Shape("reserved_flag", _CLEARS, Answer.UNSUPP),
    # Two segments; QEMU takes one (max_discard_seg, max_write_zeroes_seg).
    Shape("two_segments", _CLEARS, Answer.MAY_REFUSE),
)

SHAPES: Final = tuple(row.name for row in _ROWS)
"""Names by code."""

SHAPE_PICKS: Final = tuple(
    shape
    for shape, row in enumerate(_ROWS)
    if row.requests
    for _ in range(6 // len(row.requests) or 1)
)
"""Codes of shapes other than plain; those of few request types more often, as most draws of them
change nothing."""

_ANSWERS: Final = {
    (shape, REQUESTS.index(name)): dict(row.but).get(name, row.answer)
    for shape, row in enumerate(_ROWS)
    for name in row.requests
}
_ODD_LENGTH: Final = SHAPES.index("odd_length")


def applies(shape: int, request: int) -> bool:
    """Return whether a shape changes requests of a type; both are codes."""
    return (shape, request) in _ANSWERS


def data_bytes(shape: int, plain: int) -> int:
    """Return the length of the data of a read or write of this shape, of `plain` bytes if plain."""
    return ODD_BYTES if shape == _ODD_LENGTH else plain


def answer(shape: int, request: int) -> Answer:
    """Return how a device has to answer a request of this shape and type; both are codes."""
    return _ANSWERS.get((shape, request), Answer.SERVED)
