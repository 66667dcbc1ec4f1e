"""Contents of a packed ring that break the protocol: a function for each in `HOSTILE_CONTENTS`.

They are what `driver.hostile` does to a split ring, as far as a packed one has it. It has no `next`
and no avail idx: a chain goes on in the next descriptor, and a descriptor is available if its marks
say so. So here

* `loop` links all descriptors that are not in use;
* `head_out_of_range` is a buffer id beyond the queue size, with which a device that keeps a row for
  each id overruns its table;
* `next_out_of_range` links the chain to a descriptor that is not available;
* `nested_indirect` has the flag INDIRECT in a table, where devices ignore it (virtio 1.2, 2.8.7):
  what remains is a request without a status;
* `avail_idx_jump` makes descriptors available that were never written.

A device is broken by each of them. Next: `rings`, which chooses.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from vblkfuzz.scenario.alphabet.guest import HOSTILE_CONTENTS
from vblkfuzz.virtio.layout import (
    DESC_F_INDIRECT,
    DESC_F_NEXT,
    DESC_F_WRITE,
    DESCRIPTOR_SIZE,
)
from vblkfuzz.virtio.packed.layout import DESCRIPTOR
from vblkfuzz.virtio.request.blk import HEADER_SIZE

if TYPE_CHECKING:
    from vblkfuzz.driver.memory_map import Slot
    from vblkfuzz.virtio.packed.driver_queue import DriverQueue

_FAR: Final = 1 << 40
"""An address beyond any guest memory."""
_WRITE_NEXT: Final = DESC_F_WRITE | DESC_F_NEXT

Break = Callable[["DriverQueue", "Slot", int], int]
"""Breaks the chain of a head and publishes it; returns the id that the device gets."""


def _loop(queue: DriverQueue, slot: Slot, head: int) -> int:
    for offset in (*queue.outstanding[head][1:], *queue.pretend(queue.num_free)):
        queue.write_descriptor(offset, slot.data, 1, _WRITE_NEXT, 0)
    return _publish(queue, head)


def _head_out_of_range(queue: DriverQueue, slot: Slot, head: int) -> int:
    queue.rename(head, queue.layout.size)
    queue.publish_raw(head)
    return queue.layout.size


def _next_out_of_range(queue: DriverQueue, slot: Slot, head: int) -> int:
    return _with_descriptor(queue, head, 2, slot.status, 1, _WRITE_NEXT)


def _address_out_of_range(queue: DriverQueue, slot: Slot, head: int) -> int:
    return _with_descriptor(queue, head, 1, _FAR, 512, _WRITE_NEXT)


def _zero_length(queue: DriverQueue, slot: Slot, head: int) -> int:
    return _with_descriptor(queue, head, 1, slot.data, 0, _WRITE_NEXT)


def _huge_length(queue: DriverQueue, slot: Slot, head: int) -> int:
    return _with_descriptor(queue, head, 1, slot.data, 0xFFFFFFFF, _WRITE_NEXT)


def _wrong_direction(queue: DriverQueue, slot: Slot, head: int) -> int:
    first, second, _ = queue.outstanding[head]
    queue.write_descriptor(first, slot.header, HEADER_SIZE, _WRITE_NEXT, 0)
    queue.write_descriptor(second, slot.data, 512, DESC_F_NEXT, 0)
    return _publish(queue, head)


def _short_header(queue: DriverQueue, slot: Slot, head: int) -> int:
    return _with_descriptor(queue, head, 0, slot.header, 7, DESC_F_NEXT)


def _no_status(queue: DriverQueue, slot: Slot, head: int) -> int:
    return _with_descriptor(queue, head, 1, slot.data, 512, 0)


def _nested_indirect(queue: DriverQueue, slot: Slot, head: int) -> int:
    inner = DESCRIPTOR.pack(slot.table, DESCRIPTOR_SIZE, 0, DESC_F_INDIRECT)
    queue.memory.write(slot.table, inner)
    return _with_descriptor(queue, head, 0, slot.table, DESCRIPTOR_SIZE, DESC_F_INDIRECT)


def _indirect_length(queue: DriverQueue, slot: Slot, head: int) -> int:
    return _with_descriptor(queue, head, 0, slot.table, DESCRIPTOR_SIZE + 1, DESC_F_INDIRECT)


def _avail_idx_jump(queue: DriverQueue, slot: Slot, head: int) -> int:
    for offset in (*queue.outstanding[head], *queue.pretend(queue.num_free)):
        queue.write_descriptor(offset, 0, 0, 0, 0)
    return _publish(queue, head)


def _with_descriptor(
    queue: DriverQueue, head: int, number: int, address: int, length: int, flags: int
) -> int:
    """Publish a chain in which one descriptor is another one."""
    queue.write_descriptor(queue.outstanding[head][number], address, length, flags, 0)
    return _publish(queue, head)


def _publish(queue: DriverQueue, head: int) -> int:
    queue.publish_raw(head)
    return head


BREAKS: Final[tuple[Break, ...]] = tuple(globals()[f"_{name}"] for name in HOSTILE_CONTENTS)
"""By code, which is a position in `HOSTILE_CONTENTS`."""
