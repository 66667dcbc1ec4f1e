"""Defects of notifier fds: event loops that watch a closed fd or that of another queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.dataplane.defects.defect import Defect
from vblkfuzz.dataplane.virtio_blk import VirtioBlk

if TYPE_CHECKING:
    from vblkfuzz.dataplane.aio import AioContext
    from vblkfuzz.dataplane.queue_port import QueuePort
    from vblkfuzz.dataplane.thread import Steps, Thread


class _StaleNotifier(VirtioBlk):
    def stop_dataplane(self, thread: Thread) -> Steps:
        yield from self.release_notifiers(thread, self.ports)
        yield from self.detach_in_contexts(thread)
        self.started = False
        yield from self.blk.drain(thread)
        yield from self.blk.set_aio_context(thread, self.main)


class _WrongNotifier(VirtioBlk):
    def _watch(self, thread: Thread, port: QueuePort, context: AioContext) -> None:
        own, port.notifier = port.notifier, self.ports[0].notifier
        super()._watch(thread, port, context)
        port.notifier = own


FAMILY: Final = (
    Defect(
        "stale_notifier",
        2023,
        "QEMU commit 75dcb4d790",
        "Stop closes the notifiers before it detaches them, so event loops watch closed fds.",
        ("S9",),
        (_StaleNotifier,),
    ),
    Defect(
        "wrong_notifier",
        2021,
        "QEMU commit 570fe439e5",
        "A wrong index: every queue is attached with the notifier of the first one.",
        ("L1", "S9"),
        (_WrongNotifier,),
    ),
)
