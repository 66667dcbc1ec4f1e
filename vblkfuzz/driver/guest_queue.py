"""One queue as the guest driver sees it: its rings, its free slots, its outstanding requests.

Next: `guest`, which carries out operations on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.driver.memory_map import SLOTS, Slot
from vblkfuzz.driver.rings import new_rings

if TYPE_CHECKING:
    from vblkfuzz.driver.sent import Sent
    from vblkfuzz.scenario.device import DeviceConfig
    from vblkfuzz.virtio.memory import GuestMemory
    from vblkfuzz.virtio.queue import Areas, DriverQueue


class GuestQueue:
    """The driver's state of one queue."""

    __slots__ = (
        "again",
        "bank",
        "free_slots",
        "index",
        "layout",
        "ring",
        "sent",
    )

    def __init__(self, index: int) -> None:
        self.index = index
        self.bank = 1
        """Bank of the current rings; flips at each set-up."""
        self.ring: DriverQueue
        self.layout: Areas
        self.free_slots: list[Slot] = []
        self.sent: dict[int, Sent] = {}
        """Outstanding requests, by head."""
        self.again: set[int] = set()
        """Heads that were published again. They and their slots stay in use as long as the rings:
        it is not known how often the device will use them. What is in their buffers is chance, as
        two requests share them."""

    def start(self, memory: GuestMemory, config: DeviceConfig, features: int) -> None:
        """Create new rings in the other bank, with no request outstanding."""
        self.bank ^= 1
        self.ring, self.layout = new_rings(memory, self.index, self.bank, config, features)
        slots = SLOTS[self.index]
        # In alternating order, so that a late write of the device does not hit a new request.
        self.free_slots = list(slots if self.bank else reversed(slots))
        self.sent = {}
        self.again = set()
