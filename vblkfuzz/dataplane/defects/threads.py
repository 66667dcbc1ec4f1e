"""Defects of threads: requests and calls that are handled in the wrong thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.dataplane.defects.defect import Defect
from vblkfuzz.dataplane.revisions.qemu_8_1 import Qemu81QueuePort
from vblkfuzz.dataplane.virtio_blk import VirtioBlk

if TYPE_CHECKING:
    from vblkfuzz.dataplane.aio import AioContext
    from vblkfuzz.dataplane.queue_port import QueuePort
    from vblkfuzz.dataplane.request import Request
    from vblkfuzz.dataplane.thread import Steps, Thread


class _SelfkickInline(VirtioBlk):
    def attach(self, thread: Thread, port: QueuePort) -> Steps:
        yield from super().attach(thread, port)
        yield from self.handle_output(thread, port)


class _RestartInMain(VirtioBlk):
    def context_for(self, request: Request) -> AioContext:
        return self.main


class _NotifyByFlag(Qemu81QueuePort):
    """QEMU until 8.2 had this."""

    __slots__ = ()


FAMILY: Final = (
    Defect(
        "selfkick_inline",
        2024,
        "qemu-devel, 2024-01-03; first attempt at QEMU commit 5bdbaebcce",
        "An attach handles the queue at once, in the main thread, instead of setting its notifier.",
        ("S10",),
        (_SelfkickInline,),
    ),
    Defect(
        "restart_in_main",
        2020,
        "QEMU commit 49b44549ac, rhbz 1812765",
        "Requests that waited for cont or for the end of a drain go on in the main thread.",
        ("S10",),
        (_RestartInMain,),
    ),
    Defect(
        "notify_by_flag",
        2024,
        "QEMU commit bfa36802d1, RHEL-15394",
        "The state of the dataplane, not the calling thread, decides how a call is made.",
        ("S10",),
        (_NotifyByFlag,),
    ),
)
