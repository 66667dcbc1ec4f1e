"""Descriptor chains of a packed ring: consecutive descriptors, or one that refers to a table.

`walk_chain` reads each descriptor once and checks all of it; a broken rule raises a `RingError`.
The head of a `Chain` is the buffer id. Next: `device_queue`, which calls it for each chain.
"""

from __future__ import annotations

from collections.abc import Iterable

from vblkfuzz.virtio.chain import MAX_CHAIN_LENGTH, Chain, Segment
from vblkfuzz.virtio.layout import (
    DESC_F_INDIRECT,
    DESC_F_NEXT,
    DESC_F_WRITE,
    DESCRIPTOR_SIZE,
)
from vblkfuzz.virtio.memory import GuestMemory
from vblkfuzz.virtio.packed.layout import DESC_MARKS, DESCRIPTOR, RingLayout
from vblkfuzz.virtio.ring_error import (
    AddressError,
    ChainLoops,
    ChainTooLong,
    DescriptorNotAvailable,
    HeadOutOfRange,
    IndirectLengthInvalid,
    IndirectNotNegotiated,
    IndirectOutside,
    IndirectWithNext,
    ReadableAfterWritable,
    ZeroLength,
)

Descriptor = tuple[int, int, int, int]
"""Address, length, id and flags."""


def walk_chain(
    memory: GuestMemory, layout: RingLayout, place: int, indirect_allowed: bool
) -> tuple[Chain, int]:
    """Return the chain that begins at a place, and how many descriptors of the ring it takes.

    Source: virtio 1.2, 2.8.5 to 2.8.8; QEMU: virtqueue_packed_pop. `layout` must have passed
    `RingLayout.check`.

    Raises:
        RingError: the chain breaks a rule.
    """
    descriptors = _in_ring(memory, layout, place)
    return chain_of(memory, layout.size, descriptors, indirect_allowed), len(descriptors)


def chain_of(
    memory: GuestMemory, size: int, chain: list[Descriptor], indirect_allowed: bool
) -> Chain:
    """Return the chain of these descriptors of a ring of `size` entries.

    Raises:
        RingError: it breaks a rule.
    """
    head = chain[-1][2]
    if head >= size:
        raise HeadOutOfRange(f"id {head}, queue size {size}")
    if any(flags & DESC_F_INDIRECT for _, _, _, flags in chain):
        if not indirect_allowed:
            raise IndirectNotNegotiated(f"id {head}")
        if len(chain) > 1:
            raise IndirectWithNext(f"id {head}")
        chain = _in_table(memory, chain[0])
    readable, writable = _segments(memory.size, head, chain)
    return Chain(head, readable, writable)


def _in_ring(memory: GuestMemory, layout: RingLayout, place: int) -> list[Descriptor]:
    """Return the descriptors of a chain as they stand in the ring."""
    found: list[Descriptor] = []
    size, data, unpack = layout.size, memory.bytes, DESCRIPTOR.unpack_from
    following = DESC_F_NEXT
    while following & DESC_F_NEXT:
        if len(found) == min(size, MAX_CHAIN_LENGTH):
            error = ChainLoops if size <= MAX_CHAIN_LENGTH else ChainTooLong
            raise error(f"from place {place}: no end after {len(found)} descriptors")
        at = (place + len(found)) % layout.places
        descriptor = unpack(data, layout.desc + DESCRIPTOR_SIZE * (at % size))
        following = descriptor[3]
        if following & DESC_MARKS != layout.available(at):
            raise DescriptorNotAvailable(f"from place {place}: descriptor {at % size}")
        found.append(descriptor)
    return found


def _in_table(memory: GuestMemory, descriptor: Descriptor) -> list[Descriptor]:
    """Return all descriptors of the table that one refers to: NEXT and id say nothing there."""
    address, length, _, _ = descriptor
    if not length or length % DESCRIPTOR_SIZE:
        raise IndirectLengthInvalid(f"table of {length} bytes")
    if address + length > memory.size:
        raise IndirectOutside(f"{length} bytes at {address:#x}, memory of {memory.size}")
    if length > MAX_CHAIN_LENGTH * DESCRIPTOR_SIZE:
        raise ChainTooLong(f"table of {length // DESCRIPTOR_SIZE} descriptors")
    return list(DESCRIPTOR.iter_unpack(memory.bytes[address : address + length]))


def _segments(
    end: int, head: int, chain: Iterable[Descriptor]
) -> tuple[tuple[Segment, ...], tuple[Segment, ...]]:
    """Return the readable and the writable buffers; `end`: size of guest memory."""
    readable: list[Segment] = []
    writable: list[Segment] = []
    for address, length, _, flags in chain:
        if flags & DESC_F_WRITE:
            writable.append((address, length))
        elif writable:
            raise ReadableAfterWritable(f"id {head}")
        else:
            readable.append((address, length))
        if not length:
            raise ZeroLength(f"id {head}")
        if address + length > end:
            raise AddressError(f"{length} bytes at {address:#x}, memory of {end}")
    return tuple(readable), tuple(writable)
