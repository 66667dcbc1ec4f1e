"""Contents of a split ring that break the protocol: a function for each in `HOSTILE_CONTENTS`.

Each function takes the correct chain of a read (header, data, status in three descriptors), breaks
one rule and publishes the result. The device has to detect it as a ring error (`virtio.ring_error`)
and be broken until a reset. It must not access anything outside guest memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from vblkfuzz.limits import GUEST_MEMORY_SIZE
from vblkfuzz.scenario.alphabet.guest import HOSTILE_CONTENTS
from vblkfuzz.virtio.layout import (
    DESC_F_INDIRECT,
    DESC_F_NEXT,
    DESC_F_WRITE,
    DESCRIPTOR,
    DESCRIPTOR_SIZE,
)
from vblkfuzz.virtio.request.blk import HEADER_SIZE

if TYPE_CHECKING:
    from vblkfuzz.driver.memory_map import Slot
    from vblkfuzz.driver.request import Segments
    from vblkfuzz.virtio.split.driver_queue import DriverQueue

_FAR: Final = 1 << 40
"""An address beyond any guest memory."""

Break = Callable[["DriverQueue", "Slot", list[int]], int]
"""Breaks the chain in the given descriptors and publishes it; returns the published head."""


def _loop(queue: DriverQueue, slot: Slot, chain: list[int]) -> int:
    queue.write_descriptor(chain[2], slot.status, 1, DESC_F_WRITE | DESC_F_NEXT, chain[1])
    return _publish(queue, chain[0])


def _head_out_of_range(queue: DriverQueue, slot: Slot, chain: list[int]) -> int:
    return _publish(queue, queue.layout.size)


def _next_out_of_range(queue: DriverQueue, slot: Slot, chain: list[int]) -> int:
    queue.write_descriptor(chain[1], slot.data, 512, DESC_F_WRITE | DESC_F_NEXT, 0xFFFF)
    return _publish(queue, chain[0])


def _address_out_of_range(queue: DriverQueue, slot: Slot, chain: list[int]) -> int:
    queue.write_descriptor(chain[1], _FAR, 512, DESC_F_WRITE | DESC_F_NEXT, chain[2])
    return _publish(queue, chain[0])


def _zero_length(queue: DriverQueue, slot: Slot, chain: list[int]) -> int:
    queue.write_descriptor(chain[1], slot.data, 0, DESC_F_WRITE | DESC_F_NEXT, chain[2])
    return _publish(queue, chain[0])


def _huge_length(queue: DriverQueue, slot: Slot, chain: list[int]) -> int:
    queue.write_descriptor(chain[1], slot.data, 0xFFFFFFFF, DESC_F_WRITE | DESC_F_NEXT, chain[2])
    return _publish(queue, chain[0])


def _wrong_direction(queue: DriverQueue, slot: Slot, chain: list[int]) -> int:
    queue.write_descriptor(chain[0], slot.header, 16, DESC_F_WRITE | DESC_F_NEXT, chain[1])
    queue.write_descriptor(chain[1], slot.data, 512, DESC_F_NEXT, chain[2])
    return _publish(queue, chain[0])


def _short_header(queue: DriverQueue, slot: Slot, chain: list[int]) -> int:
    queue.write_descriptor(chain[0], slot.header, 7, DESC_F_NEXT, chain[1])
    return _publish(queue, chain[0])


def _no_status(queue: DriverQueue, slot: Slot, chain: list[int]) -> int:
    queue.write_descriptor(chain[1], slot.data, 512, 0, 0)
    return _publish(queue, chain[0])


def _nested_indirect(queue: DriverQueue, slot: Slot, chain: list[int]) -> int:
    DESCRIPTOR.pack_into(
        queue.memory.bytes, slot.table, slot.table, DESCRIPTOR_SIZE, DESC_F_INDIRECT, 0
    )
    queue.write_descriptor(chain[0], slot.table, DESCRIPTOR_SIZE, DESC_F_INDIRECT, 0)
    return _publish(queue, chain[0])


def _indirect_length(queue: DriverQueue, slot: Slot, chain: list[int]) -> int:
    queue.write_descriptor(chain[0], slot.table, DESCRIPTOR_SIZE + 1, DESC_F_INDIRECT, 0)
    return _publish(queue, chain[0])


def _avail_idx_jump(queue: DriverQueue, slot: Slot, chain: list[int]) -> int:
    queue.jump_avail_idx(queue.layout.size + 1)
    return chain[0]


def _publish(queue: DriverQueue, head: int) -> int:
    queue.publish_raw(head)
    return head


_STRAY: Final = frozenset(
    HOSTILE_CONTENTS.index(name)
    for name in ("head_out_of_range", "next_out_of_range", "indirect_length", "avail_idx_jump")
)
"""Contents that make a careless device take memory for descriptors that holds none."""
WHOLE: Final = frozenset(
    HOSTILE_CONTENTS.index(name) for name in ("short_header", "avail_idx_jump")
)
"""Contents whose chain a device can follow to the end."""
_HUGE_LENGTH: Final = HOSTILE_CONTENTS.index("huge_length")
_WRONG_DIRECTION: Final = HOSTILE_CONTENTS.index("wrong_direction")


def opened(content: int, slot: Slot) -> Segments:
    """Return the memory that broken contents let a device write, besides that of a correct read.

    It is what the descriptors say, if they are taken literally. The rest of guest memory is as
    forbidden as ever.
    """
    if content in _STRAY:
        return ((0, GUEST_MEMORY_SIZE),)
    if content == _HUGE_LENGTH:
        return ((slot.data, GUEST_MEMORY_SIZE - slot.data),)
    return ((slot.header, HEADER_SIZE),) if content == _WRONG_DIRECTION else ()


BREAKS: Final[tuple[Break, ...]] = tuple(globals()[f"_{name}"] for name in HOSTILE_CONTENTS)
"""By code, which is a position in `HOSTILE_CONTENTS`."""
