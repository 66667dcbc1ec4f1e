"""Defects of start and stop: queues that are attached, routed or kicked at the wrong time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.dataplane.defects.defect import Defect
from vblkfuzz.dataplane.queue_port import QueuePort
from vblkfuzz.dataplane.thread import POINT, Steps, Thread, causal
from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.trace.event import Frame

if TYPE_CHECKING:
    from vblkfuzz.dataplane.aio import AioContext


class _CleanupReads(VirtioBlk):
    @causal(Frame.CLEANUP_HOST_NOTIFIER)
    def cleanup_host_notifier(self, thread: Thread, port: QueuePort) -> Steps:
        yield POINT
        yield from port.read(thread)
        port.close_notifier(thread)


class _StartedTooEarly(VirtioBlk):
    def run_dataplane(self, thread: Thread) -> Steps:
        self.started = True
        yield from super().run_dataplane(thread)


class _StartedClearedTooLate(VirtioBlk):
    def stop_dataplane(self, thread: Thread) -> Steps:
        yield from self.detach_in_contexts(thread)
        yield from self.release_notifiers(thread, self.ports)
        yield from self.blk.drain(thread)
        yield from self.blk.set_aio_context(thread, self.main)
        self.started = False


class _StartKickConditional(VirtioBlk):
    def run_dataplane(self, thread: Thread) -> Steps:
        yield from super().run_dataplane(thread)
        if not self.blk.in_drain:
            for port in self.ports:
                port.notifier.set_own()

    def attach(self, thread: Thread, port: QueuePort) -> Steps:
        """Attach without setting the notifier, as before 5bdbaebcce: only start sets it."""
        yield POINT
        if not port.queue.notification:
            port.set_notification(thread, True)
        self._watch(thread, port, self.context_of(port))


class _NoKickOnResume(VirtioBlk):
    def run_dataplane(self, thread: Thread) -> Steps:
        yield from super().run_dataplane(thread)
        for port in self.ports:
            port.notifier.clear()


class _OpensUnset(QueuePort):
    __slots__ = ()

    def open_notifier(self, thread: Thread) -> None:
        super().open_notifier(thread)
        self.notifier.clear()


class _StopFromMain(VirtioBlk):
    def detach_in_contexts(self, thread: Thread) -> Steps:
        for port in self.ports:
            yield from self.detach(thread, port)

    def drained_poll(self) -> bool:
        return False


class _AttachTwice(VirtioBlk):
    def run_dataplane(self, thread: Thread) -> Steps:
        yield from super().run_dataplane(thread)
        if self.blk.in_drain:
            yield from self.attach_all(thread)


class _DetachForgotten(VirtioBlk):
    @causal(Frame.STOP_BH)
    def stop_in_context(self, thread: Thread, context: AioContext) -> Steps:
        yield from self.detach(thread, next(p for p in self.ports if self.context_of(p) is context))


FAMILY: Final = (
    Defect(
        "cleanup_reads",
        2023,
        "qemu-devel, PATCH v4 17/20, 2023-04-25; open in QEMU 10.2",
        "A notifier is read before it is closed, so a stop or reset in a drained section dequeues.",
        ("S1",),
        (_CleanupReads,),
    ),
    Defect(
        "started_too_early",
        2023,
        "QEMU commit 75dcb4d790",
        "The device is marked as started before its node moves, so the drain of the move attaches.",
        ("S8",),
        (_StartedTooEarly,),
    ),
    Defect(
        "started_cleared_too_late",
        2023,
        "QEMU commit 75dcb4d790",
        "The device is marked as started until stop has drained, and that drain attaches again.",
        ("S8", "S9"),
        (_StartedClearedTooLate,),
    ),
    Defect(
        "start_kick_conditional",
        2024,
        "QEMU commit d3f6f294ae",
        "Neither a start inside a drained section nor the end of that section kicks the queues.",
        ("L1",),
        (_StartKickConditional, _OpensUnset),
    ),
    Defect(
        "no_kick_on_resume",
        2026,
        "cloud-hypervisor commit 3e3008f36",
        "A start does not check for entries that were published before it.",
        ("L1",),
        (_NoKickOnResume,),
    ),
    Defect(
        "stop_from_main",
        2018,
        "QEMU commit 1010cadf62",
        "Stop detaches in the main thread without waiting for running handlers.",
        ("S10", "S24", "S3", "S4", "S7"),
        (_StopFromMain,),
    ),
    Defect(
        "attach_twice",
        2026,
        "vblkfuzz",
        "Start attaches inside a drained section, and the end of that section attaches again.",
        ("S8",),
        (_AttachTwice,),
    ),
    Defect(
        "detach_forgotten",
        2026,
        "vblkfuzz",
        "Stop detaches only the first queue of each AioContext.",
        ("S8", "S9"),
        (_DetachForgotten,),
    ),
)
