"""The layout of a packed virtqueue in guest memory, and the constants that the standard names.

A packed virtqueue (virtio 1.2, 2.8) is a ring of descriptors, which both sides write, and two areas
of 4 bytes: in the driver area the driver says which calls it wants, in the device area the device
says which kicks it wants. There are no indices in memory: two bits of a descriptor show in which
lap it was made available or used.

Both ends keep *places*: descriptors since set-up, modulo two laps. A place below the queue size is
in a lap with wrap counter 1 (2.8.1), the others are in one with wrap counter 0.

Next: `chain` for descriptor chains.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from struct import Struct
from typing import Final

from vblkfuzz.virtio.layout import DESCRIPTOR_ALIGN, DESCRIPTOR_SIZE, MAX_RING_SIZE
from vblkfuzz.virtio.ring_error import RingMisaligned, RingOutside, RingSizeInvalid

DESC_F_AVAIL: Final = 1 << 7
DESC_F_USED: Final = 1 << 15
"""Made available, if AVAIL is the wrap counter and USED is not; used, if both are (2.8.1)."""
DESC_MARKS: Final = DESC_F_AVAIL | DESC_F_USED

DESCRIPTOR: Final = Struct("<QIHH")
"""A descriptor: address u64, length u32, id u16, flags u16 (2.8.13)."""

EVENT_ENABLE: Final = 0
EVENT_DISABLE: Final = 1
EVENT_DESC: Final = 2
"""Flags of an event suppression area: all, none, or one descriptor, by EVENT_IDX (2.8.10)."""

EVENT_SIZE: Final = 4
EVENT_ALIGN: Final = 4
WRAP: Final = 1 << 15
"""The wrap counter beside an offset, in an event suppression area (2.8.14)."""


@dataclass(frozen=True, slots=True)
class RingLayout:
    """Queue size (entries) and the guest addresses (bytes) of the three areas.

    `avail` is the driver area, `used` the device area.
    """

    size: int
    desc: int
    avail: int
    used: int

    @classmethod
    def place(cls, size: int, base: int) -> RingLayout:
        """Place the areas of a ring of `size` entries from address `base` on, each aligned."""
        desc = -(-base // DESCRIPTOR_ALIGN) * DESCRIPTOR_ALIGN
        avail = desc + DESCRIPTOR_SIZE * size
        return cls(size, desc, avail, avail + EVENT_SIZE)

    @lru_cache(maxsize=64)  # noqa: B019 -- layouts are few and small, and drivers reuse them
    def check(self, memory_size: int) -> None:
        """Check the layout against guest memory of `memory_size` bytes.

        Raises:
            RingSizeInvalid: the size is not in 1..32768; it need not be a power of two (2.8.10.1).
            RingMisaligned: an area is not aligned.
            RingOutside: an area does not lie wholly in guest memory.
        """
        if not 1 <= self.size <= MAX_RING_SIZE:
            raise RingSizeInvalid(f"queue size {self.size}")
        if self.desc % DESCRIPTOR_ALIGN or self.avail % EVENT_ALIGN or self.used % EVENT_ALIGN:
            raise RingMisaligned(f"{self}")
        if min(self.desc, self.avail, self.used) < 0 or self.end > memory_size:
            raise RingOutside(f"{self}, memory of {memory_size} bytes")

    @property
    def desc_end(self) -> int:
        """Address after the descriptor ring."""
        return self.desc + DESCRIPTOR_SIZE * self.size

    @property
    def end(self) -> int:
        """Address after the area with the highest addresses."""
        return max(self.desc_end, self.avail + EVENT_SIZE, self.used + EVENT_SIZE)

    def driver_part(self) -> slice:
        """Return the memory that only the driver writes."""
        return slice(self.avail, self.avail + EVENT_SIZE)

    def device_part(self) -> slice:
        """Return the memory that only the device writes."""
        return slice(self.used, self.used + EVENT_SIZE)

    def shared_part(self) -> slice:
        """Return the descriptors: the driver writes them, and the device those that it returns."""
        return slice(self.desc, self.desc_end)

    @property
    def places(self) -> int:
        """Number of places: two laps."""
        return 2 * self.size

    def available(self, place: int) -> int:
        """Return the marks of a descriptor that is available at a place."""
        return DESC_F_AVAIL if place < self.size else DESC_F_USED

    def used_at(self, place: int) -> int:
        """Return the marks of a descriptor that was used at a place."""
        return DESC_MARKS if place < self.size else 0

    def off_wrap(self, place: int) -> int:
        """Return a place as offset, with the wrap counter in bit 15 (2.8.14)."""
        return place % self.size | (place < self.size) << 15

    def place_of(self, off_wrap: int) -> int:
        """Return the place of an offset with wrap counter; an offset beyond the ring wraps."""
        return (off_wrap & ~WRAP) % self.size + (0 if off_wrap & WRAP else self.size)
