"""Descriptor chains: the buffers of a head in the available ring.

`walk_chain` follows a chain from its head, through an indirect table if there is one, and returns
its buffers as (address, length) segments: first those the device reads, then those it writes. It
reads each descriptor once and checks all of it; a broken rule raises a `RingError`.

Next: `device_queue` calls it for each chain, `blk` parses the request in a chain.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from vblkfuzz.virtio.layout import (
    DESC_F_INDIRECT,
    DESC_F_NEXT,
    DESC_F_WRITE,
    DESCRIPTOR,
    DESCRIPTOR_SIZE,
    RingLayout,
)
from vblkfuzz.virtio.memory import GuestMemory
from vblkfuzz.virtio.ring_error import (
    RING_ERRORS,
    AddressError,
    ChainLoops,
    ChainTooLong,
    HeadOutOfRange,
    IndirectLengthInvalid,
    IndirectNested,
    IndirectNotNegotiated,
    IndirectOutside,
    IndirectWithNext,
    NextOutOfRange,
    ReadableAfterWritable,
    RingError,
    ZeroLength,
)

__all__ = ["MAX_CHAIN_LENGTH", "RING_ERRORS", "Chain", "RingError", "Segment", "walk_chain"]

MAX_CHAIN_LENGTH: Final = 1024
"""Largest number of descriptors followed in one table: QEMU's VIRTQUEUE_MAX_SIZE."""

Segment = tuple[int, int]
"""A buffer: guest address and length (bytes)."""


class Chain(NamedTuple):
    """One chain: its head, and its buffers in order."""

    head: int
    readable: tuple[Segment, ...]
    writable: tuple[Segment, ...]


def walk_chain(memory: GuestMemory, layout: RingLayout, head: int, indirect_allowed: bool) -> Chain:
    """Follow the chain from `head` (virtio 1.2, 2.7.5; QEMU: virtqueue_split_pop).

    `layout` must have passed `RingLayout.check`. An indirect table may follow direct descriptors
    (2.7.5.3.2), which QEMU does not support.

    Raises:
        RingError: the chain breaks a rule.
    """
    table, entries = layout.desc, layout.size
    if not 0 <= head < entries:
        raise HeadOutOfRange(f"head {head}, queue size {entries}")
    data, end, unpack = memory.bytes, memory.size, DESCRIPTOR.unpack_from
    readable: list[Segment] = []
    writable: list[Segment] = []
    left = min(entries, MAX_CHAIN_LENGTH)
    index, in_indirect = head, False
    while True:  # one loop without calls: this is the hottest code of an execution
        address, length, flags, following = unpack(data, table + DESCRIPTOR_SIZE * index)
        if flags & DESC_F_INDIRECT:
            if in_indirect or not indirect_allowed:
                raise (IndirectNested if in_indirect else IndirectNotNegotiated)(f"head {head}")
            table, entries = address, _table_entries(end, address, length, flags)
            left = min(entries, MAX_CHAIN_LENGTH)
            index, in_indirect = 0, True
            continue
        if flags & DESC_F_WRITE:
            writable.append((address, length))
        elif writable:
            raise ReadableAfterWritable(f"head {head}, descriptor {index}")
        else:
            readable.append((address, length))
        if not length:
            raise ZeroLength(f"head {head}, descriptor {index}")
        if address + length > end:
            raise AddressError(f"{length} bytes at {address:#x}, memory of {end}")
        left -= 1
        if left < 0:
            raise (ChainLoops if entries <= MAX_CHAIN_LENGTH else ChainTooLong)(f"head {head}")
        if not flags & DESC_F_NEXT:
            return Chain(head, tuple(readable), tuple(writable))
        if following >= entries:
            raise NextOutOfRange(f"head {head}: next {following} of {entries}")
        index = following


def _table_entries(memory_end: int, address: int, length: int, flags: int) -> int:
    """Return the number of descriptors in the indirect table that a descriptor refers to.

    The WRITE flag of that descriptor is ignored, as 2.7.5.3.2 demands.
    """
    if flags & DESC_F_NEXT:
        raise IndirectWithNext(f"table at {address:#x}")
    if not length or length % DESCRIPTOR_SIZE:
        raise IndirectLengthInvalid(f"table of {length} bytes")
    if address + length > memory_end:
        raise IndirectOutside(f"{length} bytes at {address:#x}, memory of {memory_end}")
    return length // DESCRIPTOR_SIZE
