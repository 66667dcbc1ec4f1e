"""The rings of one queue of the driver, in the form that was negotiated (virtio 1.2, 2.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.driver import hostile, hostile_packed
from vblkfuzz.driver.memory_map import (
    packed_layout,
    packed_side_layout,
    ring_layout,
    side_layout,
)
from vblkfuzz.virtio.layout import F_EVENT_IDX, F_IN_ORDER, F_RING_PACKED
from vblkfuzz.virtio.packed import driver_queue as packed_rings
from vblkfuzz.virtio.split import driver_queue as split

if TYPE_CHECKING:
    from vblkfuzz.driver.memory_map import Slot
    from vblkfuzz.scenario.device import DeviceConfig
    from vblkfuzz.virtio.memory import GuestMemory
    from vblkfuzz.virtio.queue import Areas, DriverQueue


def new_rings(
    memory: GuestMemory, index: int, bank: int, config: DeviceConfig, features: int
) -> tuple[DriverQueue, Areas]:
    """Return rings for queue `index` in `bank` (0 or 1), and where they are.

    `features`: those that were negotiated; they decide on the form.
    """
    event_idx, in_order = (bool(features >> bit & 1) for bit in (F_EVENT_IDX, F_IN_ORDER))
    size, first = config.queue_size, config.first_index
    if features >> F_RING_PACKED & 1:
        packed = packed_layout(index, size, bank)
        return packed_rings.DriverQueue(memory, packed, event_idx, first, in_order), packed
    layout = ring_layout(index, size, bank)
    return split.DriverQueue(memory, layout, event_idx, first, in_order), layout


def new_side_rings(memory: GuestMemory, index: int, features: int) -> tuple[DriverQueue, Areas]:
    """Return rings for queue `index` of `memory_map.SIDE_QUEUES`, and where they are."""
    event_idx = bool(features >> F_EVENT_IDX & 1)
    if features >> F_RING_PACKED & 1:
        packed = packed_side_layout(index)
        return packed_rings.DriverQueue(memory, packed, event_idx), packed
    layout = side_layout(index)
    return split.DriverQueue(memory, layout, event_idx), layout


def publish_broken(queue: DriverQueue, content: int, slot: Slot, head: int) -> int:
    """Break the chain of a read and publish it; return the head that the device gets.

    Args:
        queue: has the chain, which is not published yet.
        content: a position in `HOSTILE_CONTENTS`.
        slot: the memory of the request.
        head: of the chain.
    """
    if isinstance(queue, packed_rings.DriverQueue):
        return hostile_packed.BREAKS[content](queue, slot, head)
    assert isinstance(queue, split.DriverQueue)
    return hostile.BREAKS[content](queue, slot, queue.outstanding[head])
