"""Defects of outcomes: the driver is told a wrong status, a wrong length or a wrong id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.dataplane.defects.defect import Defect
from vblkfuzz.dataplane.request import IoResult
from vblkfuzz.dataplane.thread import Steps, Thread, causal
from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.trace.event import Frame
from vblkfuzz.virtio.request.blk import ID_SIZE, STATUS_SIZE, BlkStatus, RequestType

if TYPE_CHECKING:
    from vblkfuzz.dataplane.aio import BottomHalf
    from vblkfuzz.dataplane.request import Request
    from vblkfuzz.scenario.device import Rerror


class _ErrorToldOk(VirtioBlk):
    @causal(Frame.COMPLETE)
    def complete(self, thread: Thread, request: Request) -> Steps:
        request.result = IoResult.OK
        yield from super().complete(thread, request)


class _IgnoredErrorTold(VirtioBlk):
    def error_action(self, request: Request) -> Rerror:
        action = super().error_action(request)
        return "report" if action == "ignore" else action


class _ReadErrorByWerror(VirtioBlk):
    def error_action(self, request: Request) -> Rerror:
        action = super().error_action(request)
        werror = self.config.werror
        return action if werror == "enospc" or request.blk.type != RequestType.IN else werror


class _EnospcReported(VirtioBlk):
    def error_action(self, request: Request) -> Rerror:
        full = request.result is IoResult.ENOSPC
        return "report" if full else super().error_action(request)


class _ErrorRetried(VirtioBlk):
    def error_action(self, request: Request) -> Rerror:
        action = super().error_action(request)
        mixes = self.config.werror == "enospc" and request.blk.type != RequestType.IN
        return "stop" if mixes else action


class _StatusAfterPush(VirtioBlk):
    def finish(self, thread: Thread, request: Request, status: BlkStatus) -> Steps:
        yield from super().finish(thread, request, BlkStatus.OK)
        self.board.memory.bytes[request.blk.status_address] = status


class _StatusOfLast(VirtioBlk):
    _last_status = BlkStatus.OK

    def finish(self, thread: Thread, request: Request, status: BlkStatus) -> Steps:
        self._last_status, status = status, self._last_status
        yield from super().finish(thread, request, status)


class _RetryToldFailed(VirtioBlk):
    def restart_requests(self) -> None:
        waiting, self.retry_list = self.retry_list, []
        for request in waiting:
            self.context_for(request).schedule(self._failing(request))

    def _failing(self, request: Request) -> BottomHalf:
        return lambda thread: self.finish(thread, request, BlkStatus.IOERR)


class _UnknownToldOk(VirtioBlk):
    def answer_at_once(self, request: Request) -> BlkStatus | None:
        status = super().answer_at_once(request)
        return BlkStatus.OK if status == BlkStatus.UNSUPP else status


class _UnknownToldIoerr(VirtioBlk):
    def answer_at_once(self, request: Request) -> BlkStatus | None:
        status = super().answer_at_once(request)
        return BlkStatus.IOERR if status == BlkStatus.UNSUPP else status


class _IdLostAtReset(VirtioBlk):
    def answer_at_once(self, request: Request) -> BlkStatus | None:
        status = super().answer_at_once(request)
        if request.blk.type == RequestType.GET_ID and self.epoch:
            request.data = bytes(ID_SIZE)
        return status


class _IdRefusedAfterReset(VirtioBlk):
    def answer_at_once(self, request: Request) -> BlkStatus | None:
        if request.blk.type == RequestType.GET_ID and self.epoch:
            return BlkStatus.UNSUPP
        return super().answer_at_once(request)


class _IdEndsInNul(VirtioBlk):
    def answer_at_once(self, request: Request) -> BlkStatus | None:
        status = super().answer_at_once(request)
        if request.blk.type == RequestType.GET_ID:
            request.data = request.data[:-1] + b"\0"
        return status


class _IdNotWritten(VirtioBlk):
    def push(self, thread: Thread, request: Request, length: int) -> None:
        is_id = request.blk.type == RequestType.GET_ID
        super().push(thread, request, ID_SIZE + STATUS_SIZE if is_id else length)

    def answer_at_once(self, request: Request) -> BlkStatus | None:
        status = super().answer_at_once(request)
        request.data = b""
        return status


class _LengthWithoutStatus(VirtioBlk):
    def push(self, thread: Thread, request: Request, length: int) -> None:
        super().push(thread, request, length - STATUS_SIZE)


class _LengthOfLast(VirtioBlk):
    _last_length = STATUS_SIZE

    def push(self, thread: Thread, request: Request, length: int) -> None:
        self._last_length, length = length, self._last_length
        super().push(thread, request, length)


class _FailedLengthFull(VirtioBlk):
    def push(self, thread: Thread, request: Request, length: int) -> None:
        super().push(thread, request, sum(size for _, size in request.blk.writable))


FAMILY: Final = (
    Defect(
        "error_told_ok",
        2026,
        "vblkfuzz",
        "The result of the backend is not looked at: every request ends with OK.",
        ("S21",),
        (_ErrorToldOk,),
    ),
    Defect(
        "ignored_error_told",
        2026,
        "vblkfuzz",
        "An error that rerror or werror says to ignore is reported.",
        ("S21",),
        (_IgnoredErrorTold,),
    ),
    Defect(
        "read_error_by_werror",
        2026,
        "vblkfuzz",
        "An error of a read is handled as werror says.",
        ("S21",),
        (_ReadErrorByWerror,),
    ),
    Defect(
        "enospc_reported",
        2026,
        "vblkfuzz",
        "A full disk is always reported, even if it should stop the VM.",
        ("S21",),
        (_EnospcReported,),
    ),
    Defect(
        "error_retried",
        2026,
        "vblkfuzz",
        "With werror=enospc any error stops the VM, not only that of a full disk.",
        ("S21",),
        (_ErrorRetried,),
    ),
    Defect(
        "retry_told_failed",
        2026,
        "vblkfuzz",
        "Requests that wait for a retry end with IOERR when the VM continues.",
        ("S21",),
        (_RetryToldFailed,),
    ),
    Defect(
        "status_after_push",
        2026,
        "vblkfuzz",
        "The status is OK until the used entry has been written, and only then the right one.",
        ("S21",),
        (_StatusAfterPush,),
    ),
    Defect(
        "status_of_last",
        2026,
        "vblkfuzz",
        "A request ends with the status of the request that ended before.",
        ("S21",),
        (_StatusOfLast,),
    ),
    Defect(
        "unknown_told_ok",
        2026,
        "vblkfuzz",
        "A request of an unknown type ends with OK.",
        ("S21",),
        (_UnknownToldOk,),
    ),
    Defect(
        "unknown_told_ioerr",
        2026,
        "vblkfuzz",
        "A request of an unknown type ends with IOERR.",
        ("S21",),
        (_UnknownToldIoerr,),
    ),
    Defect(
        "length_without_status",
        2026,
        "vblkfuzz",
        "The length of a used entry does not count the status byte.",
        ("S22",),
        (_LengthWithoutStatus,),
    ),
    Defect(
        "length_of_last",
        2026,
        "vblkfuzz",
        "A used entry has the length of the request that was pushed before.",
        ("S22",),
        (_LengthOfLast,),
    ),
    Defect(
        "failed_length_full",
        2026,
        "QEMU virtio_blk_req_complete",
        "The length of a used entry is the size of the buffers, also if a read has failed.",
        ("S37",),
        (_FailedLengthFull,),
    ),
    Defect(
        "id_lost_at_reset",
        2026,
        "vblkfuzz",
        "A reset clears the device id, so GET_ID then answers with zeroes.",
        ("S23",),
        (_IdLostAtReset,),
    ),
    Defect(
        "id_refused_after_reset",
        2026,
        "vblkfuzz",
        "After a reset GET_ID is taken for a request of an unknown type.",
        ("S23",),
        (_IdRefusedAfterReset,),
    ),
    Defect(
        "id_ends_in_nul",
        2026,
        "vblkfuzz",
        "The last byte of a device id of 20 bytes is overwritten by a NUL.",
        ("S23",),
        (_IdEndsInNul,),
    ),
    Defect(
        "id_not_written",
        2026,
        "vblkfuzz",
        "GET_ID ends with OK, but the device has not written the id.",
        ("S23",),
        (_IdNotWritten,),
    ),
)
