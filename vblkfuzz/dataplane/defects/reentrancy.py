"""Defects of re-entrancy: starts, stops and handlers that begin again before they have ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.dataplane.defects.defect import Defect
from vblkfuzz.dataplane.thread import POINT, Steps, Thread, causal
from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.trace.event import Frame
from vblkfuzz.virtio.request.blk import BlkStatus, RequestType

if TYPE_CHECKING:
    from vblkfuzz.dataplane.queue_port import QueuePort
    from vblkfuzz.dataplane.request import Request


class _AttachBeforeStarted(VirtioBlk):
    def run_dataplane(self, thread: Thread) -> Steps:
        yield from self.blk.set_aio_context(thread, self.home)
        self.starting = False
        if not self.blk.in_drain:
            yield from self.attach_all(thread)
        yield POINT
        self.started = True


class _NoStoppingGuard(VirtioBlk):
    def start_ioeventfd(self, thread: Thread) -> Steps:
        self.stopping = False
        return super().start_ioeventfd(thread)

    def stop_dataplane(self, thread: Thread) -> Steps:
        yield from self.detach_in_contexts(thread)
        self.started = False
        yield from self.release_notifiers(thread, self.ports)
        yield from self.blk.drain(thread)
        yield from self.blk.set_aio_context(thread, self.main)

    @causal(Frame.CLEANUP_HOST_NOTIFIER)
    def cleanup_host_notifier(self, thread: Thread, port: QueuePort) -> Steps:
        yield POINT
        yield from port.read(thread)
        port.close_notifier(thread)


class _StopNotIdempotent(VirtioBlk):
    def stop_ioeventfd(self, thread: Thread) -> Steps:
        self.started = True
        return super().stop_ioeventfd(thread)


class _PollReentrant(VirtioBlk):
    def finish(self, thread: Thread, request: Request, status: BlkStatus) -> Steps:
        """Run the event loop that called the handler, if the handler answers the request."""
        context = self.completion_context(thread)
        if request.blk.type == RequestType.GET_ID and context.has_work():
            yield from context.run_once(thread)
        yield from super().finish(thread, request, status)


FAMILY: Final = (
    Defect(
        "attach_before_started",
        2022,
        "QEMU commit 9a4b6a63ae (virtio-scsi)",
        "Start attaches before it marks the device as started, so a handler starts it again.",
        ("S10", "S12", "S8"),
        (_AttachBeforeStarted,),
    ),
    Defect(
        "no_stopping_guard",
        2013,
        "QEMU commit cd7fdfe59f",
        "Stop reads each notifier before closing it, and the handler starts the device again.",
        ("L1", "S12", "S8", "S9"),
        (_NoStoppingGuard,),
    ),
    Defect(
        "stop_not_idempotent",
        2026,
        "cloud-hypervisor commit e5dbf5242",
        "A stop does not check whether the device is started.",
        ("S12", "S9"),
        (_StopNotIdempotent,),
    ),
    Defect(
        "poll_reentrant",
        2023,
        "QEMU commit 6d740fb01b",
        "A handler runs its event loop, which polls the same ring and calls the handler again.",
        ("S12",),
        (_PollReentrant,),
    ),
)
