"""Defects of parked requests: counted, woken or submitted at the wrong time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.dataplane.block_backend import BlockBackend
from vblkfuzz.dataplane.defects.defect import Defect
from vblkfuzz.dataplane.revisions.qemu_9_0 import Qemu90BlockBackend
from vblkfuzz.dataplane.thread import POINT, Steps, Thread
from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.trace.kinds import PARK, UNPARK

if TYPE_CHECKING:
    from vblkfuzz.dataplane.request import Request


class _RecountLate(Qemu90BlockBackend):
    """QEMU until 10.1 had this."""


class _ParkCounted(BlockBackend):
    def _pass_gate(self, thread: Thread, request: Request) -> None:
        if self.quiesce_counter:
            self.parked.append(request)
            self._trace(PARK, thread, request)
        else:
            self._start(thread, request)

    def _wake(self, request: Request) -> None:
        self.in_flight -= 1
        super()._wake(request)


class _DoubleSchedule(BlockBackend):
    def drained_end(self, thread: Thread) -> Steps:
        woken = self.parked.copy()
        yield from super().drained_end(thread)
        if not self.in_drain:
            self.parked.extend(woken)

    def _pass_gate(self, thread: Thread, request: Request) -> None:
        """Remove a woken request from the list only here, when it runs."""
        if request in self.parked:
            self.parked.remove(request)
        super()._pass_gate(thread, request)


class _ResumeSkipsGate(BlockBackend):
    def _wake(self, request: Request) -> None:
        self.in_flight += 1

        def resume(runner: Thread) -> Steps:
            yield POINT
            self._trace(UNPARK, runner, request)
            self._start(runner, request)

        request.context = self.device.context_for(request)
        request.context.schedule(resume)


class _WakesOne(BlockBackend):
    _woken = False

    def drained_end(self, thread: Thread) -> Steps:
        yield from super().drained_end(thread)
        self._woken = False

    def _wake(self, request: Request) -> None:
        if not self._woken:
            super()._wake(request)
        self._woken = True


class _ParkedDropped(VirtioBlk):
    def drained_end(self, thread: Thread) -> Steps:
        for request in self.blk.cancel_parked():
            self.cancel(thread, request)
        yield from super().drained_end(thread)


FAMILY: Final = (
    Defect(
        "recount_late",
        2025,
        "QEMU commit 8eeaa706ba",
        "A woken parked request is counted only when it runs, so the next drain misses it.",
        ("S2",),
        (_RecountLate,),
    ),
    Defect(
        "park_counted",
        2020,
        "QEMU commit 7f16476fab",
        "A parked request stays counted as in flight, so a nested drain never returns.",
        ("L2", "L3", "S11"),
        (_ParkCounted,),
    ),
    Defect(
        "double_schedule",
        2023,
        "QEMU commit 411132c979, RHEL-1708",
        "A woken request stays in the list until it runs, so a second drain wakes it again.",
        ("S5", "S6", "S7"),
        (_DoubleSchedule,),
    ),
    Defect(
        "resume_skips_gate",
        2025,
        "QEMU blk_wait_while_drained before commit 8eeaa706ba",
        "A woken request is submitted without checking whether the next drain has begun.",
        ("S2",),
        (_ResumeSkipsGate,),
    ),
    Defect(
        "wakes_one",
        2026,
        "vblkfuzz",
        "The end of a drain wakes the oldest parked request only; the others are lost.",
        ("L3",),
        (_WakesOne,),
    ),
    Defect(
        "parked_dropped",
        2026,
        "vblkfuzz",
        "The end of a drained section drops what is parked instead of letting it go on.",
        ("S18",),
        (_ParkedDropped,),
    ),
)
