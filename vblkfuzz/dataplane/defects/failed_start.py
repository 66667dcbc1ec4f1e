"""Defects of a start that fails: queues that stay routed, attached or unserved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.dataplane.defects.defect import Defect
from vblkfuzz.dataplane.thread import POINT, Steps, Thread, causal
from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.trace.event import Frame

if TYPE_CHECKING:
    from collections.abc import Generator

    from vblkfuzz.dataplane.thread import Wait


class _PartialRollback(VirtioBlk):
    def assign_notifiers(self, thread: Thread) -> Generator[Wait | None, None, bool]:
        failing, self.start_fails_at = self.start_fails_at, None
        for port in self.ports:
            yield POINT
            if port.index == failing:
                return False
            port.open_notifier(thread)
        return True


class _FallBackMissing(VirtioBlk):
    def fall_back(self, thread: Thread) -> Steps:
        yield from ()


class _FailedStartAttaches(VirtioBlk):
    @causal(Frame.DRAINED_END)
    def drained_end(self, thread: Thread) -> Steps:
        if self.started:
            yield from self.attach_all(thread)


FAMILY: Final = (
    Defect(
        "partial_rollback",
        2021,
        "QEMU commits 570fe439e5, 5b807181c2",
        "A failed start leaves kicks of earlier queues routed to notifiers that are not attached.",
        ("L1", "S9"),
        (_PartialRollback,),
    ),
    Defect(
        "fall_back_missing",
        2016,
        "QEMU commit eb41cf78fc",
        "A failed start does not serve the queues that were kicked before it.",
        ("L1",),
        (_FallBackMissing,),
    ),
    Defect(
        "failed_start_attaches",
        2021,
        "QEMU commits 570fe439e5, 6f1a5c37db",
        "The end of a drain attaches the notifiers although the dataplane failed to start.",
        ("S8", "S9"),
        (_FailedStartAttaches,),
    ),
)
