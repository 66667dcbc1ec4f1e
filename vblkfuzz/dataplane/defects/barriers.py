"""Defects of memory order: a barrier is missing between a store and the load that follows it.

They have no effect unless a deviation of the schedule delays stores.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from vblkfuzz.dataplane.defects.defect import Defect
from vblkfuzz.dataplane.queue_port import QueuePort
from vblkfuzz.virtio.memory import no_barrier
from vblkfuzz.virtio.split.device_queue import DeviceQueue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vblkfuzz.dataplane.thread import Thread
    from vblkfuzz.virtio.memory import GuestMemory


@contextmanager
def _without_barriers(memory: GuestMemory) -> Iterator[None]:
    barrier, memory.barrier = memory.barrier, no_barrier
    yield
    memory.barrier = barrier


class _NoBarrierBeforeRecheck(DeviceQueue):
    __slots__ = ()

    def set_notification(self, on: bool) -> None:
        with _without_barriers(self.memory):
            super().set_notification(on)


class _NoBarrierAtPollEnd(QueuePort):
    __slots__ = ()

    def poll_end(self, thread: Thread) -> None:
        with _without_barriers(self._board.memory):
            super().poll_end(thread)


FAMILY: Final = (
    Defect(
        "no_barrier_before_recheck",
        2012,
        "QEMU commit 92045d80ba",
        "The handler checks the ring a last time before the driver can see that kicks are enabled.",
        ("L1",),
        (_NoBarrierBeforeRecheck,),
    ),
    Defect(
        "no_barrier_at_poll_end",
        2026,
        "vblkfuzz",
        "The loop polls the ring a last time before the driver can see that kicks are enabled.",
        ("L1",),
        (_NoBarrierAtPollEnd,),
    ),
)
