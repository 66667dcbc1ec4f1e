"""The saved state of a device: plain values, as they stand in a migration stream (QEMU: vmstate).

A device of the same class is built from it elsewhere, so it has no reference to the device that was
saved. What the guest's memory and the registers of the transport hold is not in it: they go along
with the VM. Next: `migration`, which makes and loads it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vblkfuzz.virtio.queue import Areas, Progress
from vblkfuzz.virtio.request.blk import BlkRequest

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class SavedQueue:
    """One queue. The used idx of a split ring is not saved: the ring has it (virtio_load)."""

    layout: Areas | None
    """Size and addresses; None if it is not set up."""
    last_avail: int
    """u16, entries that the device has taken."""
    notification: bool
    """Whether the device asks for kicks; if not, the next start has to."""
    progress: Progress | None = None
    """Where it is in a packed ring, which does not tell (QEMU: vmstate_packed_virtqueue)."""


@dataclass(frozen=True, slots=True)
class SavedRequest:
    """A request that is in use (QEMU: virtio_blk_save_device).

    It has failed with `rerror` or `werror` = `stop`, or was parked when the VM stopped: then it
    waits for `cont`. Or it has ended, and waits for such a one.
    """

    queue: int
    head: int
    serial: int
    """Number of its pop, by which the trace follows it."""
    epoch: int
    blk: BlkRequest
    """Its header and the guest addresses of its buffers."""
    length: int = 0
    """Bytes written, if it has ended and waits for an older one (F_IN_ORDER); 0: it has not."""


@dataclass(frozen=True, slots=True)
class SavedState:
    """All that a new device needs to go on."""

    status: int
    features: int
    """Feature bits that the driver has accepted."""
    broken: bool
    writeback: bool
    """Whether the disk has a write-back cache."""
    generation: int
    """Config generation."""
    queues: Sequence[SavedQueue]
    requests: Sequence[SavedRequest]
    """In the order in which they are submitted again."""
    calls: Sequence[int]
    """Queues whose call the guest has not taken yet (QEMU: ISR, MSI-X pending bits)."""
