"""Defects of resets: requests that outlive the reset, or are dropped too early."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.dataplane.block_backend import BlockBackend
from vblkfuzz.dataplane.defects.defect import Defect
from vblkfuzz.dataplane.thread import POINT, Steps, Thread, causal
from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.trace.event import Frame

if TYPE_CHECKING:
    from vblkfuzz.dataplane.queue_port import QueuePort
    from vblkfuzz.dataplane.request import Request
    from vblkfuzz.virtio.queue import DeviceQueue


class _IgnoresParked(VirtioBlk):
    def drop_requests(self, thread: Thread) -> Steps:
        yield from self.blk.drain(thread)
        for request in self.retry_list:
            self.cancel(thread, request)
        self.retry_list.clear()


class _KeepsRetryList(VirtioBlk):
    def drop_requests(self, thread: Thread) -> Steps:
        kept, self.retry_list = self.retry_list, []
        yield from super().drop_requests(thread)
        self.retry_list = kept


class _ResetBeforeDrain(VirtioBlk):
    @causal(Frame.RESET)
    def reset(self, thread: Thread, *, system: bool = False) -> Steps:
        for port in self.ports:
            port.queue.reset()
        yield from super().reset(thread, system=system)


class _QueueResetNoDrain(VirtioBlk):
    def reset_queue(self, thread: Thread, port: QueuePort) -> Steps:
        yield POINT
        self.forget_queue(thread, port)


class _QueueResetCancelsAll(BlockBackend):
    def cancel_parked(self, queue: DeviceQueue | None = None) -> list[Request]:
        return super().cancel_parked()


FAMILY: Final = (
    Defect(
        "reset_ignores_parked",
        2023,
        "qemu-devel, PATCH v4 17/20, 2023-04-25; open in QEMU 10.2",
        "Reset waits for requests in flight, but does not cancel parked ones.",
        ("S24", "S4", "S7"),
        (_IgnoresParked,),
    ),
    Defect(
        "rq_kept",
        2016,
        "QEMU commit 26307f6aa4",
        "The retry list outlives a reset, and cont submits requests of the driver before it.",
        ("S4", "S7"),
        (_KeepsRetryList,),
    ),
    Defect(
        "reset_before_drain",
        2023,
        "QEMU commit 7d7512019f (IDE, CVE-2023-5088), 6bf7463615 (NVMe)",
        "Reset clears the rings before it waits for requests in flight.",
        ("S7",),
        (_ResetBeforeDrain,),
    ),
    Defect(
        "queue_reset_no_drain",
        2022,
        "QEMU virtio_queue_reset; virtio-blk has no queue_reset; open in QEMU 10.2",
        "A queue reset clears the ring only; requests in flight are pushed to the new ring.",
        ("S24", "S6", "S7"),
        (_QueueResetNoDrain,),
    ),
    Defect(
        "queue_reset_cancels_all",
        2026,
        "vblkfuzz",
        "A queue reset drops the parked requests of the other queues too.",
        ("S18",),
        (_QueueResetCancelsAll,),
    ),
)
