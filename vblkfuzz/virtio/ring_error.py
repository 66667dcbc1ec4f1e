"""The rules of rings and requests that a driver can break, one exception each.

On such an error the device becomes broken (DEVICE_NEEDS_RESET; QEMU: virtio_error), and the BROKEN
event of the trace carries the `code` of the error. Codes are stored in files: append only. Each
docstring begins with the section of virtio 1.2 and says where QEMU is more lenient.

Next: `chain.walk_chain`, `device_queue.DeviceQueue.pop` and `blk.parse_request` raise them.
"""

from __future__ import annotations

from typing import ClassVar, Final


class RingError(Exception):
    """The driver has broken a rule; `code` (1..255) is stable and unique."""

    code: ClassVar[int]


class HeadOutOfRange(RingError):
    """2.7.6: an avail entry names a descriptor beyond the table.

    QEMU: virtqueue_get_head.
    """

    code = 1


class NextOutOfRange(RingError):
    """2.7.5: `next` points beyond the table it is in, direct or indirect.

    QEMU: virtqueue_split_read_next_desc.
    """

    code = 2


class ChainLoops(RingError):
    """2.7.5.2: a chain has more descriptors than its table, so it must loop.

    QEMU: virtqueue_split_pop, which counts in the same way.
    """

    code = 3


class ChainTooLong(RingError):
    """2.7.5.3.1: a chain is longer than `chain.MAX_CHAIN_LENGTH`.

    The standard forbids chains longer than the queue size. Drivers use longer indirect tables
    nevertheless, and QEMU (virtqueue_map_desc) rejects more than VIRTQUEUE_MAX_SIZE only.
    """

    code = 4


class ZeroLength(RingError):
    """2.7.4: a buffer has length 0.

    The standard does not forbid it explicitly; QEMU does (virtqueue_map_desc).
    """

    code = 5


class AddressError(RingError):
    """2.7.5: a buffer does not lie wholly in guest memory.

    QEMU: virtqueue_map_desc, when dma_memory_map cannot map it.
    """

    code = 6


class ReadableAfterWritable(RingError):
    """2.7.4.2: a device-readable descriptor follows a device-writable one.

    QEMU: virtqueue_split_pop.
    """

    code = 7


class IndirectNested(RingError):
    """2.7.5.3.1: an indirect table contains an indirect descriptor.

    QEMU (virtqueue_split_pop) ignores the flag there and uses the inner table as a buffer.
    """

    code = 8


class IndirectLengthInvalid(RingError):
    """2.7.5.3: the length of an indirect table is 0 or not a multiple of 16 bytes.

    QEMU: virtqueue_split_pop.
    """

    code = 9


class IndirectOutside(RingError):
    """2.7.5.3: an indirect table does not lie wholly in guest memory.

    QEMU: virtqueue_split_pop, when the table cannot be cached.
    """

    code = 10


class IndirectNotNegotiated(RingError):
    """2.7.5.3.1: an indirect descriptor is used without VIRTIO_F_INDIRECT_DESC.

    QEMU does not check.
    """

    code = 11


class IndirectWithNext(RingError):
    """2.7.5.3.1: a descriptor sets both INDIRECT and NEXT.

    QEMU ignores NEXT there.
    """

    code = 12


class AvailIdxJump(RingError):
    """2.7.13.3: avail idx is more than one queue size ahead of what the device has taken.

    QEMU checks it in virtqueue_num_heads, which virtqueue_split_pop does not call: there the jump
    leads to a bad head or to `QueueSizeExceeded`.
    """

    code = 13


class QueueSizeExceeded(RingError):
    """2.7.13: a chain is available although as many chains as the queue size are in use.

    QEMU: virtqueue_split_pop. A device that miscounts `inuse` meets this error as well.
    """

    code = 14


class RingSizeInvalid(RingError):
    """2.7: the queue size is not a power of two in 1..32768.

    QEMU: virtio_queue_set_num ignores such a size.
    """

    code = 15


class RingMisaligned(RingError):
    """2.7: an area of the ring is not aligned (descriptors to 16, avail to 2, used to 4 bytes).

    QEMU does not check.
    """

    code = 16


class RingOutside(RingError):
    """2.7: an area of the ring does not lie wholly in guest memory.

    QEMU: virtio_init_region_cache.
    """

    code = 17


class RequestHeaderMissing(RingError):
    """5.2.6: a request without a device-readable buffer has no header.

    QEMU: virtio_blk_handle_request.
    """

    code = 18


class RequestHeaderShort(RingError):
    """5.2.6: the device-readable part of a request is shorter than the 16 bytes of a header.

    QEMU: virtio_blk_handle_request.
    """

    code = 19


class RequestStatusMissing(RingError):
    """5.2.6: a request without a device-writable buffer has no place for the status byte.

    QEMU: virtio_blk_handle_request.
    """

    code = 20


class DescriptorNotAvailable(RingError):
    """2.8.6: a chain of a packed ring goes on in a descriptor that is not marked available.

    QEMU: virtqueue_packed_pop checks the first descriptor of a chain only.
    """

    code = 21


RING_ERRORS: Final[dict[int, type[RingError]]] = {
    error.code: error for error in RingError.__subclasses__()
}
"""All of these errors by code."""
