"""Guest addresses of the driver's rings and request slots.

The first `ORIGIN` bytes have the rings of `SIDE_QUEUES`, if a device has them, and behind them the
`SIDE_SLOTS`. QEMU treats a ring at guest address 0 as not set up.
Each queue owns a range of `QUEUE_BYTES`. It begins with two banks for rings, used alternately, so
that the rings of two successive set-ups never overlap and a late write of the device is visible.
Then come `SLOTS_PER_QUEUE` request slots, each with (offset, content, bytes):

    0     header, then the segment of a discard  32 bytes
    32    status byte                            16
    48    indirect table                         512
    560   header that is joined with data        16
    576   data                                   MAX_REQUEST_SECTORS sectors
    2624  spare, for shapes                      640
"""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

from vblkfuzz.limits import (
    GUEST_MEMORY_SIZE,
    MAX_QUEUE_SIZE,
    MAX_QUEUES,
    MAX_REQUEST_SECTORS,
    SECTOR_SIZE,
    SLOTS_PER_QUEUE,
)
from vblkfuzz.virtio.layout import RingLayout
from vblkfuzz.virtio.packed.layout import RingLayout as PackedLayout

ORIGIN: Final = 4096
QUEUE_BYTES: Final = (GUEST_MEMORY_SIZE - ORIGIN) // MAX_QUEUES
BANK_BYTES: Final = 1024
SIDE_QUEUES: Final = (MAX_QUEUES, MAX_QUEUES + 1)
"""Numbers of queues that take no commands: those of virtio-scsi for control and events."""
_SIDE_SIZE: Final = 4
"""Entries of their rings."""
_SLOTS_AT: Final = 2 * BANK_BYTES
_DATA_AT: Final = 576
_SPARE_AT: Final = _DATA_AT + MAX_REQUEST_SECTORS * SECTOR_SIZE
_SLOT_BYTES: Final = _SPARE_AT + 640

assert RingLayout.place(MAX_QUEUE_SIZE, 0).end <= BANK_BYTES
assert PackedLayout.place(MAX_QUEUE_SIZE, 0).end <= BANK_BYTES
assert QUEUE_BYTES % 1024 == 0
assert _SLOTS_AT + SLOTS_PER_QUEUE * _SLOT_BYTES <= QUEUE_BYTES


_SIDE_SLOTS_AT: Final = 3 * BANK_BYTES
_SIDE_SLOT_BYTES: Final = 64


class Slot(NamedTuple):
    """Guest addresses of one request."""

    header: int
    segment: int
    status: int
    table: int
    data: int
    spare: int
    """A status may lie at its first byte, behind the data."""


SIDE_SLOTS: Final = tuple(
    Slot(at, at, at + 32, at, at, at)
    for at in range(
        _SIDE_SLOTS_AT, _SIDE_SLOTS_AT + _SIDE_SIZE // 2 * _SIDE_SLOT_BYTES, _SIDE_SLOT_BYTES
    )
)
"""Of the control queue: a request and its answer, the status; nothing else is used."""


_EVENT_SLOTS_AT: Final = _SIDE_SLOTS_AT + _SIDE_SIZE // 2 * _SIDE_SLOT_BYTES
EVENT_SLOTS: Final = tuple(
    Slot(at, at, at, at, at, at) for at in (_EVENT_SLOTS_AT, _EVENT_SLOTS_AT + _SIDE_SLOT_BYTES)
)
"""Of the event queue: a buffer each. With two, more events before the next look are missed."""


@cache
def ring_layout(index: int, size: int, bank: int) -> RingLayout:
    """Return the layout of the rings of queue `index` in `bank` (0 or 1); `size` in entries."""
    return RingLayout.place(size, _bank_at(index, bank))


@cache
def packed_layout(index: int, size: int, bank: int) -> PackedLayout:
    """Return the layout of the packed ring of queue `index` in `bank` (0 or 1)."""
    return PackedLayout.place(size, _bank_at(index, bank))


def _bank_at(index: int, bank: int) -> int:
    return ORIGIN + index * QUEUE_BYTES + bank * BANK_BYTES


def side_layout(index: int) -> RingLayout:
    """Return the layout of the rings of a queue of `SIDE_QUEUES`."""
    return RingLayout.place(_SIDE_SIZE, _side_at(index))


def packed_side_layout(index: int) -> PackedLayout:
    """Return the layout of the packed ring of a queue of `SIDE_QUEUES`."""
    return PackedLayout.place(_SIDE_SIZE, _side_at(index))


def _side_at(index: int) -> int:
    return BANK_BYTES * (1 + SIDE_QUEUES.index(index))


def side_area(slot: Slot) -> slice:
    """Return the memory of one of `SIDE_SLOTS`."""
    return slice(slot.header, slot.header + _SIDE_SLOT_BYTES)


def end_of(queues: int) -> int:
    """Return the address after the memory of the first `queues` queues."""
    return ORIGIN + queues * QUEUE_BYTES


def _slot(index: int, number: int) -> Slot:
    base = ORIGIN + index * QUEUE_BYTES + _SLOTS_AT + number * _SLOT_BYTES
    return Slot(base, base + 16, base + 32, base + 48, base + _DATA_AT, base + _SPARE_AT)


def slot_at(address: int) -> int:
    """Return a number for the slot in which an address lies; each slot has its own."""
    queue, offset = divmod(address - ORIGIN, QUEUE_BYTES)
    return queue * QUEUE_BYTES + (offset - _SLOTS_AT) // _SLOT_BYTES


SLOTS: Final = tuple(
    tuple(_slot(index, number) for number in range(SLOTS_PER_QUEUE)) for index in range(MAX_QUEUES)
)
"""Slots by queue, then by number."""

AREAS: Final = {
    slot.header: slice(slot.header, slot.header + _SLOT_BYTES) for slots in SLOTS for slot in slots
}
"""All memory of a slot, by the address of its header."""


def plain_area(slot: Slot, sectors: int) -> slice:
    """Return the memory of a slot that a plain request of so many sectors needs."""
    return slice(slot.header, slot.data + sectors * SECTOR_SIZE)
