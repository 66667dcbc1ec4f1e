"""Packed rings of four descriptors, and what the standard says of their bytes."""

from __future__ import annotations

from typing import Final

from vblkfuzz.virtio.memory import GuestMemory
from vblkfuzz.virtio.packed.device_queue import DeviceQueue
from vblkfuzz.virtio.packed.driver_queue import DriverQueue
from vblkfuzz.virtio.packed.layout import RingLayout

LAYOUT: Final = RingLayout.place(4, 64)
AVAIL, USED = 0x80, 0x8000
NEXT, WRITE, INDIRECT = 1, 2, 4


def memory() -> GuestMemory:
    return GuestMemory(memoryview(bytearray(4096)))


def descriptor(address: int, length: int, ident: int, flags: int) -> bytes:
    """2.8.13: le64 addr, le32 len, le16 id, le16 flags."""
    sizes = ((address, 8), (length, 4), (ident, 2), (flags, 2))
    return b"".join(number.to_bytes(size, "little") for number, size in sizes)


def ring(found: GuestMemory, count: int = 4) -> list[bytes]:
    return [found.read(LAYOUT.desc + 16 * index, 16) for index in range(count)]


def event(off: int, wrap: int, flags: int) -> bytes:
    """2.8.14: le16 with the offset in 15 bits and the wrap counter above, le16 with the flags."""
    return (off | wrap << 15).to_bytes(2, "little") + flags.to_bytes(2, "little")


def driver(found: GuestMemory, event_idx: bool = False, first: int = 0) -> DriverQueue:
    return DriverQueue(found, LAYOUT, event_idx, first)


def device(found: GuestMemory, event_idx: bool = False, indirect: bool = True) -> DeviceQueue:
    queue = DeviceQueue(found, 0)
    queue.set_up(LAYOUT, event_idx=event_idx, indirect=indirect)
    return queue
