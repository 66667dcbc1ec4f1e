"""Defects of errors and completions: lost completions and wrong counts of requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.dataplane.block_backend import BlockBackend
from vblkfuzz.dataplane.defects.defect import Defect
from vblkfuzz.dataplane.request import IoResult
from vblkfuzz.dataplane.thread import POINT, Steps, Thread, causal
from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.trace.event import Frame
from vblkfuzz.virtio.layout import STATUS_NEEDS_RESET
from vblkfuzz.virtio.request.blk import BlkStatus

if TYPE_CHECKING:
    from vblkfuzz.dataplane.request import Request
    from vblkfuzz.virtio.ring_error import RingError


class _LeakOnError(BlockBackend):
    def deliver(self, request: Request) -> None:
        if request.result is IoResult.OK:
            super().deliver(request)
            return

        def complete(thread: Thread) -> Steps:
            yield POINT
            yield from self.device.complete(thread, request)

        request.context.schedule(complete)


class _RestartUncounted(BlockBackend):
    def resubmit(self, request: Request) -> None:
        def submit(thread: Thread) -> Steps:
            yield POINT
            self.in_flight += 1
            self._start(thread, request)

        request.context = self.device.context_for(request)
        request.context.schedule(submit)


class _AnsweredAndRetried(VirtioBlk):
    @causal(Frame.COMPLETE)
    def complete(self, thread: Thread, request: Request) -> Steps:
        if request.result is not IoResult.OK and self.error_action(request) == "stop":
            yield from self.finish(thread, request, BlkStatus.IOERR)
        yield from super().complete(thread, request)


class _LostCompletion(VirtioBlk):
    @causal(Frame.COMPLETE)
    def complete(self, thread: Thread, request: Request) -> Steps:
        if not self.blk.in_drain:
            yield from super().complete(thread, request)


class _InuseLeakError(VirtioBlk):
    def push(self, thread: Thread, request: Request, length: int) -> None:
        super().push(thread, request, length)
        if request.status == BlkStatus.IOERR:
            request.queue.inuse += 1


class _InuseLeakRestart(VirtioBlk):
    def restart_requests(self) -> None:
        for request in self.retry_list:
            request.queue.inuse += 1
        super().restart_requests()


class _NeedsResetUnsaid(VirtioBlk):
    def _set_status(self, value: int) -> None:
        super()._set_status(value & ~STATUS_NEEDS_RESET)


class _NeedsResetUntold(VirtioBlk):
    _breaks = False

    def virtio_error(self, thread: Thread, error: RingError) -> None:
        self._breaks = True
        super().virtio_error(thread, error)
        self._breaks = False

    def notify_config(self, thread: Thread) -> None:
        if not self._breaks:
            super().notify_config(thread)


FAMILY: Final = (
    Defect(
        "leak_on_error",
        2021,
        "QEMU commit 87ab880252",
        "A failed request stays counted as in flight, so the next drain never returns.",
        ("L2", "S11"),
        (_LeakOnError,),
    ),
    Defect(
        "restart_uncounted",
        2019,
        "QEMU commit 680f200217",
        "A bottom half that no drain waits for submits the retry list, so it may do so in a drain.",
        ("S2",),
        (_RestartUncounted,),
    ),
    Defect(
        "lost_completion",
        2026,
        "vblkfuzz",
        "A request that ends inside a drained section is not completed.",
        ("L3", "S3"),
        (_LostCompletion,),
    ),
    Defect(
        "answered_and_retried",
        2026,
        "vblkfuzz",
        "A failed request is both answered and put on the retry list.",
        ("S16", "S21", "S5", "S6", "S7"),
        (_AnsweredAndRetried,),
    ),
    Defect(
        "inuse_leak_error",
        2016,
        "QEMU commits afd9096eb1 (CVE-2016-5403), 58a83c6149",
        "A failed request stays counted as in use, so the ring soon seems full.",
        ("S7",),
        (_InuseLeakError,),
    ),
    Defect(
        "inuse_leak_restart",
        2016,
        "QEMU commits bccdef6b1a, e66bcc4081",
        "Each cont counts the requests of the retry list as in use once more.",
        ("S7",),
        (_InuseLeakRestart,),
    ),
    Defect(
        "needs_reset_unsaid",
        2026,
        "vblkfuzz",
        "A broken device does not set DEVICE_NEEDS_RESET in its status.",
        ("S20",),
        (_NeedsResetUnsaid,),
    ),
    Defect(
        "needs_reset_untold",
        2026,
        "vblkfuzz",
        "A broken device sets DEVICE_NEEDS_RESET, and gives no configuration interrupt.",
        ("S20",),
        (_NeedsResetUntold,),
    ),
)
