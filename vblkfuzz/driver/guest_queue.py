"""One queue as the guest driver sees it: its rings, its free slots, its outstanding requests.

Next: `guest`, which carries out operations on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.driver.memory_map import SLOTS, Slot, ring_layout
from vblkfuzz.virtio.driver_queue import DriverQueue

if TYPE_CHECKING:
    from vblkfuzz.driver.request import Segmented
    from vblkfuzz.scenario.device import DeviceConfig
    from vblkfuzz.virtio.memory import GuestMemory


class GuestQueue:
    """The driver's state of one queue."""

    __slots__ = (
        "again",
        "bank",
        "built",
        "free_slots",
        "ids",
        "index",
        "reads",
        "ring",
        "shaped",
        "slot_of",
    )

    def __init__(self, index: int) -> None:
        self.index = index
        self.bank = 1
        """Bank of the current rings; flips at each set-up."""
        self.ring: DriverQueue
        self.free_slots: list[Slot] = []
        self.slot_of: dict[int, Slot] = {}
        """Slots of the outstanding requests, by head."""
        self.reads: dict[int, tuple[int, int]] = {}
        """Outstanding reads, by head: first sector, and the number of sectors after it."""
        self.ids: set[int] = set()
        """Heads of outstanding GET_IDs."""
        self.shaped: dict[int, Segmented] = {}
        """Buffers of the outstanding requests that are not plain, by head."""
        self.built: tuple[Segmented, int | None, slice]
        """The last request: buffers, indirect table, and all its memory."""
        self.again: set[int] = set()
        """Heads that were published again. They and their slots stay in use as long as the rings:
        it is not known how often the device will use them."""

    def start(self, memory: GuestMemory, config: DeviceConfig, *, event_idx: bool) -> None:
        """Create new rings in the other bank, with no request outstanding."""
        self.bank ^= 1
        layout = ring_layout(self.index, config.queue_size, self.bank)
        self.ring = DriverQueue(memory, layout, event_idx, config.first_index)
        slots = SLOTS[self.index]
        # In alternating order, so that a late write of the device does not hit a new request.
        self.free_slots = list(slots if self.bank else reversed(slots))
        self.slot_of = {}
        self.reads = {}
        self.ids = set()
        self.shaped = {}
        self.again = set()
