"""Defects of what drains for a moment: block jobs and limits of I/O."""

from __future__ import annotations

from typing import Final

from vblkfuzz.dataplane.defects.defect import Defect
from vblkfuzz.dataplane.operator import Operator
from vblkfuzz.dataplane.thread import POINT, Steps, Thread, causal
from vblkfuzz.trace.event import Frame


class _CancelledNotEnded(Operator):
    def mirror_finish(self, thread: Thread, cancelled: int, *rest: int) -> Steps:
        """Forget the drained section of a job that is cancelled, on its error path."""
        if cancelled:
            self._mirroring = False
        yield from super().mirror_finish(thread, cancelled, *rest)


class _JobAttachesTwice(Operator):
    def block_job(self, thread: Thread, kind: int, *rest: int) -> Steps:
        """Resume the device once more: for the node that is gone, and for the one below it."""
        yield from super().block_job(thread, kind, *rest)
        if not self._blk.in_drain:
            yield from self._resume_again(thread)

    @causal(Frame.BLOCK_JOB)
    def _resume_again(self, thread: Thread) -> Steps:
        yield from self._device.drained_end(thread)


class _LimitsRestart(Operator):
    def throttle(self, thread: Thread, removed: int, *rest: int) -> Steps:
        """Submit what waits, whatever it waits for."""
        if removed:
            yield from self._restart(thread)
        yield from super().throttle(thread, removed, *rest)

    @causal(Frame.THROTTLE)
    def _restart(self, thread: Thread) -> Steps:
        for request in self._blk.cancel_parked():
            yield POINT
            self._blk.in_flight += 1
            self._blk._start(thread, request)


FAMILY: Final = (
    Defect(
        "cancelled_not_ended",
        2026,
        "vblkfuzz",
        "A mirror job that is cancelled while it is pending does not end its drained section.",
        ("S11",),
        (_CancelledNotEnded,),
    ),
    Defect(
        "job_attaches_twice",
        2026,
        "vblkfuzz",
        "The end of a block job resumes the device twice.",
        ("S8",),
        (_JobAttachesTwice,),
    ),
    Defect(
        "limits_restart",
        2026,
        "vblkfuzz",
        "The removal of I/O limits submits requests that wait for the end of a drained section.",
        ("S2",),
        (_LimitsRestart,),
    ),
)
