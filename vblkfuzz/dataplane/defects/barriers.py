"""Defects of memory order: a barrier is missing between a store and the load that follows it.

Without a delayed deviation in the schedule they do nothing: every store is seen at once.
"""

from __future__ import annotations

from typing import Final

from vblkfuzz.dataplane.defects.defect import Defect
from vblkfuzz.virtio.device_queue import DeviceQueue
from vblkfuzz.virtio.memory import no_barrier


class _NoBarrierBeforeRecheck(DeviceQueue):
    __slots__ = ()

    def set_notification(self, on: bool) -> None:
        memory = self.memory
        barrier, memory.barrier = memory.barrier, no_barrier
        super().set_notification(on)
        memory.barrier = barrier


BARRIERS: Final = (
    Defect(
        "no_barrier_before_recheck",
        2012,
        "QEMU commit 92045d80ba",
        "The handler's last look at the ring comes before the driver can see that it wants kicks.",
        ("L1",),
        (_NoBarrierBeforeRecheck,),
    ),
)
