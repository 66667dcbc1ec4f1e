"""Defects of threads: requests and calls that go on in a thread that must leave them alone."""

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
    """What QEMU did until 8.2."""

    __slots__ = ()


FAMILY: Final = (
    Defect(
        "selfkick_inline",
        2024,
        "qemu-devel, 2024-01-03; first attempt at QEMU commit 5bdbaebcce",
        "Whoever attaches a queue handles it at once, in the main thread, instead of kicking.",
        ("S10",),
        (_SelfkickInline,),
    ),
    Defect(
        "restart_in_main",
        2020,
        "QEMU commit 49b44549ac, rhbz 1812765",
        "Requests that wait for cont, or for the end of a drain, go on in the main thread.",
        ("S10",),
        (_RestartInMain,),
    ),
    Defect(
        "notify_by_flag",
        2024,
        "QEMU commit bfa36802d1, RHEL-15394",
        "A call takes the way that the state of the dataplane says, whatever thread calls.",
        ("S10",),
        (_NotifyByFlag,),
    ),
)
