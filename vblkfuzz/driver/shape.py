"""Gives a request that `driver.request` has built another shape (`scenario.alphabet.shape`).

A function for each shape changes the buffers, and what is in them. `RequestForm.straighten` brings
the answer to where that of a plain request is, so that the driver reads all answers alike.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.driver.request import STATUS_POISON, Segmented
from vblkfuzz.scenario.alphabet.guest import REQUESTS
from vblkfuzz.scenario.alphabet.shape import ODD_BYTES, SHAPES, applies
from vblkfuzz.virtio.queue import QueueFull
from vblkfuzz.virtio.request.blk import (
    DISCARD_SEGMENT,
    HEADER_SIZE,
    STATUS_SIZE,
    UNMAP,
)

if TYPE_CHECKING:
    from vblkfuzz.driver.memory_map import Slot
    from vblkfuzz.driver.request import RequestForm, Segments
    from vblkfuzz.virtio.memory import GuestMemory

_FAR: Final = (1 << 64) - 1
_WRAPPING: Final = 1 << 55
_MOST_SECTORS: Final = (1 << 32) - 1
_TABLE_MOVED: Final = SHAPES.index("table_moved")
_IN, _OUT = REQUESTS.index("in"), REQUESTS.index("out")
_RESERVED: Final = 2
"""A flag of a segment that the standard does not know (5.2.6)."""
_SECTORS_AT: Final = 8
_FLAGS_AT: Final = 12
"""Offsets in a segment of a discard."""
_SECTOR_AT: Final = 8
"""Offset in a header."""


class Plain(NamedTuple):
    """A request in the usual shape, in guest memory."""

    memory: GuestMemory
    slot: Slot
    buffers: Segmented
    ring: int
    """Entries of the ring."""
    code: int
    """Its type, a position in `scenario.alphabet.guest.REQUESTS`."""
    form: RequestForm

    @property
    def is_moved(self) -> bool:
        """Whether it is a read or a write."""
        return self.code in (_IN, _OUT)

    @property
    def data(self) -> Segments:
        """Its data buffer; none if it has no data."""
        readable, writable = self.buffers
        return readable[1:] or (writable[1:] if self.form.status_at == 0 else writable[:-1])

    def with_data(self, data: Segments) -> Segmented:
        """Return its buffers with other ones for the data."""
        readable, writable = self.buffers
        if len(readable) > 1:
            return Segmented((readable[0], *data), writable)
        if self.form.status_at == 0:
            return Segmented(readable, (writable[0], *data))
        return Segmented(readable, (*data, writable[-1]))

    def with_number(self, at: int, number: int, size: int) -> Segmented:
        """Return its buffers, with another number of `size` bytes at an address."""
        self.memory.bytes[at : at + size] = number.to_bytes(size, "little")
        return self.buffers


def changes(form: RequestForm, shape: int, code: int, table: int | None) -> bool:
    """Return whether a shape changes a request.

    Args:
        form: of the request.
        shape: a position in `SHAPES`.
        code: type of the request, a position in `scenario.alphabet.guest.REQUESTS`.
        table: as in `reshape`.
    """
    fits = applies(shape, code) and shape in form.shapes
    return fits and (table is not None or shape != _TABLE_MOVED)


def reshape(plain: Plain, shape: int, table: int | None) -> tuple[Segmented, int | None]:
    """Return the buffers of a request in another shape, and the address of its indirect table.

    Args:
        plain: the request.
        shape: a position in `SHAPES`; it `changes` the request.
        table: address of the indirect table of a plain request; None: there is none.

    Raises:
        QueueFull: the chain would be longer than the ring (2.7.5.3.1).
    """
    buffers = _FUNCTIONS[shape](plain)
    if sum(map(len, buffers)) > plain.ring:
        raise QueueFull(f"{sum(map(len, buffers))} buffers, a ring of {plain.ring}")
    if table is not None and shape == _TABLE_MOVED:
        table = plain.slot.spare + 1
    return buffers, table


def _plain(plain: Plain) -> Segmented:
    return plain.buffers


def _split(plain: Plain) -> Segmented:
    """The data of a read or a write begins in the buffer with the higher address."""
    ((address, length),) = plain.data
    first = length // 3
    if plain.is_moved:
        if plain.code == _OUT:
            data = plain.memory.read(address, length)
            plain.memory.write(address, data[length - first :] + data[: length - first])
        return plain.with_data(((address + first, length - first), (address, first)))
    return plain.with_data(((address, first), (address + first, length - first)))


def _tiny(plain: Plain) -> Segmented:
    return plain.with_data(_cut(plain.data, (1, 7, 100)))


def _long(plain: Plain) -> Segmented:
    pieces = plain.ring - 2
    ((_, length),) = plain.data
    return plain.with_data(_cut(plain.data, (length // pieces,) * (pieces - 1)))


def _cut(data: Segments, lengths: tuple[int, ...]) -> Segments:
    """Return a buffer in pieces of these lengths, as far as it reaches, and one of the rest."""
    ((address, left),) = data
    pieces = []
    for length in lengths:
        if length < left:
            pieces.append((address, length))
            address, left = address + length, left - length
    return (*pieces, (address, left))


def _header_split(plain: Plain) -> Segmented:
    header, *data = plain.buffers.readable
    pieces = _cut((header,), (4,))
    return Segmented((*pieces, *data), plain.buffers.writable)


def _header_joined(plain: Plain) -> Segmented:
    """The segment of a discard is behind its header already; a write's header is copied."""
    ((address, length),) = plain.data
    front = address - HEADER_SIZE
    header = plain.memory.read(plain.slot.header, HEADER_SIZE)
    plain.memory.write(front, header)
    return Segmented(((front, HEADER_SIZE + length),), plain.buffers.writable)


def _status_joined(plain: Plain) -> Segmented:
    ((address, length),) = plain.data
    plain.memory.bytes[address + length] = STATUS_POISON
    return Segmented(plain.buffers.readable, ((address, length + STATUS_SIZE),))


def _table_moved(plain: Plain) -> Segmented:
    """`reshape` moves the table; the buffers stay."""
    return plain.buffers


def _odd_length(plain: Plain) -> Segmented:
    ((address, _),) = plain.data
    return plain.with_data(((address, ODD_BYTES),))


def _far_sector(plain: Plain) -> Segmented:
    return _with_sector(plain, _FAR)


def _wrapping_sector(plain: Plain) -> Segmented:
    return _with_sector(plain, _WRAPPING)


def _with_sector(plain: Plain, sector: int) -> Segmented:
    if plain.is_moved:
        return plain.with_number(plain.slot.header + _SECTOR_AT, sector, 8)
    return plain.with_number(plain.slot.segment, sector, 8)


def _huge_segment(plain: Plain) -> Segmented:
    return plain.with_number(plain.slot.segment + _SECTORS_AT, _MOST_SECTORS, 4)


def _unmap(plain: Plain) -> Segmented:
    return plain.with_number(plain.slot.segment + _FLAGS_AT, UNMAP, 4)


def _reserved_flag(plain: Plain) -> Segmented:
    return plain.with_number(plain.slot.segment + _FLAGS_AT, _RESERVED, 4)


def _two_segments(plain: Plain) -> Segmented:
    """The first sector, then the others; of one sector alone both segments have it."""
    data, spare = plain.memory.bytes, plain.slot.spare
    sector, sectors, _ = DISCARD_SEGMENT.unpack_from(data, plain.slot.segment)
    rest = sectors - 1
    DISCARD_SEGMENT.pack_into(data, spare, sector, 1, 0)
    second = (sector + 1, rest, 0) if rest else (sector, 1, 0)
    DISCARD_SEGMENT.pack_into(data, spare + DISCARD_SEGMENT.size, *second)
    return plain.with_data(((spare, 2 * DISCARD_SEGMENT.size),))


_FUNCTIONS: Final[tuple[Callable[[Plain], Segmented], ...]] = tuple(
    globals()[f"_{name}"] for name in SHAPES
)
"""By code."""
