"""Places in guest memory: where the driver found a change that the device must not make.

They are the flag of MEMORY_CHANGED and, in a signature, its state. Numbers are part of stored
traces: never change one.
"""

from __future__ import annotations

from enum import IntEnum


class Place(IntEnum):
    """What the changed memory was for, or was next to."""

    UNUSED = 0
    """Memory that the driver never gave to the device."""
    PAST_BUFFER = 1
    """Just past a buffer that the device may write."""
    BEFORE_BUFFER = 2
    """Just before such a buffer."""
    HEADER = 3
    """The header of a request in use: only the driver writes it (virtio 1.2, 2.7.4)."""
    READABLE_DATA = 4
    """Another buffer of a request in use that the device may only read."""
    INDIRECT_TABLE = 5
    """The indirect table of a request in use (2.7.5.3.2)."""
    DESCRIPTORS = 6
    """The descriptor table (2.7.5)."""
    AVAIL_RING = 7
    """The available ring, with used_event (2.7.6)."""
    COLLECTED = 8
    """Memory of a request that the driver has collected (2.7.14)."""
    AFTER_RESET = 9
    """Memory of a request that a reset has ended (2.4)."""
    AFTER_QUEUE_RESET = 10
    """Memory of a request that the reset of its queue has ended (2.6.1)."""
    RINGS_AFTER_RESET = 11
    """Rings that a reset has taken away."""
    RINGS_AFTER_QUEUE_RESET = 12
    """Rings that the reset of their queue has taken away."""

    @property
    def words(self) -> str:
        """The name as words: ``past buffer``."""
        return self.name.lower().replace("_", " ")
