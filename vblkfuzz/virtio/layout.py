"""The layout of a split virtqueue in guest memory, and the constants that the standard names.

A split virtqueue (virtio 1.2, 2.7) is three areas of guest memory: the descriptor table, the
available ring (the driver writes it) and the used ring (the device writes it). `RingLayout` holds
their addresses; its properties are guest addresses in bytes. Both ends of a queue convert them to
indices of `GuestMemory.u16` and `.u32` once, at set-up.

Next: `memory` for the bytes, `chain` for descriptor chains.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from struct import Struct
from typing import Final

from vblkfuzz.virtio.ring_error import RingMisaligned, RingOutside, RingSizeInvalid

DESC_F_NEXT: Final = 1
"""The chain goes on at `next` (2.7.5)."""
DESC_F_WRITE: Final = 2
"""The device writes this buffer; without it the device reads it (2.7.5)."""
DESC_F_INDIRECT: Final = 4
"""The buffer is a table of descriptors (2.7.5.3)."""

AVAIL_F_NO_INTERRUPT: Final = 1
"""In the available ring: the driver asks for no calls (2.7.7)."""
USED_F_NO_NOTIFY: Final = 1
"""In the used ring: the device asks for no kicks (2.7.10)."""

F_INDIRECT_DESC: Final = 28
F_EVENT_IDX: Final = 29
F_VERSION_1: Final = 32
F_RING_PACKED: Final = 34
F_IN_ORDER: Final = 35
F_RING_RESET: Final = 40
"""Feature bits that concern the rings (6)."""

STATUS_ACKNOWLEDGE: Final = 1
STATUS_DRIVER: Final = 2
STATUS_DRIVER_OK: Final = 4
STATUS_FEATURES_OK: Final = 8
STATUS_NEEDS_RESET: Final = 64
STATUS_FAILED: Final = 128
"""Device status bits (2.1)."""

DESCRIPTOR: Final = Struct("<QIHH")
"""A descriptor: address u64, length u32, flags u16, next u16 (2.7.5)."""

DESCRIPTOR_SIZE: Final = DESCRIPTOR.size
DESCRIPTOR_ALIGN: Final = 16
AVAIL_ALIGN: Final = 2
USED_ALIGN: Final = 4

MAX_RING_SIZE: Final = 32768
"""Largest queue size (entries) of a split virtqueue (2.7)."""


def vring_need_event(event: int, new: int, old: int) -> bool:
    """Return whether an index that moved from `old` to `new` passed `event` (2.7.7.2, 2.7.10.1).

    All three are u16 and wrap. The other side has asked for a notification at entry number
    `event`, so one is due when `event` lies in ``old .. new - 1``.
    """
    return (new - event - 1) & 0xFFFF < (new - old) & 0xFFFF


@dataclass(frozen=True, slots=True)
class RingLayout:
    """Queue size (entries) and the guest addresses (bytes) of the three areas."""

    size: int
    desc: int
    avail: int
    used: int

    @classmethod
    def place(cls, size: int, base: int) -> RingLayout:
        """Place the areas of a ring of `size` entries from address `base` on, each aligned."""
        desc = _align(base, DESCRIPTOR_ALIGN)
        avail = _align(desc + DESCRIPTOR_SIZE * size, AVAIL_ALIGN)
        used = _align(avail + 6 + 2 * size, USED_ALIGN)
        return cls(size, desc, avail, used)

    @lru_cache(maxsize=64)  # noqa: B019 -- layouts are few and small, and drivers reuse them
    def check(self, memory_size: int) -> None:
        """Check the layout against guest memory of `memory_size` bytes.

        Ring accesses need no further check after that.

        Raises:
            RingSizeInvalid: the size is not a power of two in 1..32768.
            RingMisaligned: an area is not aligned.
            RingOutside: an area does not lie wholly in guest memory.
        """
        size = self.size
        if not 1 <= size <= MAX_RING_SIZE or size & (size - 1):
            raise RingSizeInvalid(f"queue size {size}")
        if self.desc % DESCRIPTOR_ALIGN or self.avail % AVAIL_ALIGN or self.used % USED_ALIGN:
            raise RingMisaligned(f"{self}")
        if min(self.desc, self.avail, self.used) < 0 or self.end > memory_size:
            raise RingOutside(f"{self}, memory of {memory_size} bytes")

    @property
    def desc_end(self) -> int:
        """Address after the descriptor table."""
        return self.desc + DESCRIPTOR_SIZE * self.size

    @property
    def avail_flags(self) -> int:
        """Address of avail.flags."""
        return self.avail

    @property
    def avail_idx(self) -> int:
        """Address of avail.idx."""
        return self.avail + 2

    def avail_ring(self, slot: int) -> int:
        """Address of avail.ring[slot]."""
        return self.avail + 4 + 2 * slot

    @property
    def used_event(self) -> int:
        """Address of used_event: after the last avail entry (2.7.7)."""
        return self.avail_ring(self.size)

    @property
    def avail_end(self) -> int:
        """Address after the available ring."""
        return self.used_event + 2

    @property
    def used_flags(self) -> int:
        """Address of used.flags."""
        return self.used

    @property
    def used_idx(self) -> int:
        """Address of used.idx."""
        return self.used + 2

    def used_ring(self, slot: int) -> int:
        """Address of used.ring[slot]: id u32, then length u32 (bytes)."""
        return self.used + 4 + 8 * slot

    @property
    def avail_event(self) -> int:
        """Address of avail_event: after the last used entry (2.7.10)."""
        return self.used_ring(self.size)

    @property
    def used_end(self) -> int:
        """Address after the used ring."""
        return self.avail_event + 2

    @property
    def end(self) -> int:
        """Address after the area with the highest addresses."""
        return max(self.desc_end, self.avail_end, self.used_end)

    def driver_part(self) -> slice:
        """Return the memory that only the driver writes, if the areas lie in this order."""
        return slice(self.desc, self.avail_end)

    def device_part(self) -> slice:
        """Return the memory that only the device writes."""
        return slice(self.used, self.used_end)

    def shared_part(self) -> slice:
        """Return an empty range: there is no memory that both write."""
        return slice(self.desc, self.desc)


def _align(address: int, alignment: int) -> int:
    """Round `address` up to a multiple of `alignment`."""
    return -(-address // alignment) * alignment
