"""Defects of order: what has to come first comes later, or is taken for what comes later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.dataplane.block_backend import BlockBackend
from vblkfuzz.dataplane.defects.defect import Defect
from vblkfuzz.dataplane.thread import POINT, Steps, Thread
from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.trace.kinds import MEMWRITE
from vblkfuzz.virtio.request.blk import STATUS_SIZE, BlkStatus, RequestType, scatter

if TYPE_CHECKING:
    from vblkfuzz.dataplane.request import Request


class _UsedBeforeData(VirtioBlk):
    def finish(self, thread: Thread, request: Request, status: BlkStatus) -> Steps:
        memory = self.board.memory
        data = request.data if status == BlkStatus.OK else b""
        memory.bytes[request.blk.status_address] = request.status = status
        self._trace_request(MEMWRITE, thread, request)
        yield POINT
        self.push(thread, request, len(data) + STATUS_SIZE)
        yield POINT
        scatter(memory, request.blk.writable, data)


class _ReadsByAddress(BlockBackend):
    _reads: tuple[Request, ...] = ()
    """Reads in flight, in the order of their submission."""
    _ended: tuple[Request, ...] = ()
    """Those of them that have ended."""

    def _start(self, thread: Thread, request: Request) -> None:
        if request.blk.type == RequestType.IN:
            self._reads += (request,)
        super()._start(thread, request)

    def deliver(self, request: Request) -> None:
        """Merge the reads in flight: they are delivered together."""
        if request.blk.type != RequestType.IN:
            super().deliver(request)
            return
        self._ended += (request,)
        if len(self._ended) == len(self._reads):
            reads, self._reads, self._ended = self._reads, (), ()
            if not any(read.result for read in reads):
                _deal_by_address(reads)
            for read in reads:
                super().deliver(read)


def _deal_by_address(reads: tuple[Request, ...]) -> None:
    """Give the data of the reads, in the order of their submission, to them by address."""
    found = [read.data for read in reads]
    for read, data in zip(sorted(reads, key=lambda one: one.blk.sector), found, strict=True):
        read.data = data[: read.blk.data_length].ljust(read.blk.data_length, b"\0")


class _WaitsForNewest(BlockBackend):
    _sent: frozenset[int] = frozenset()
    """Serials of the requests that the backend has."""
    _ended: tuple[Request, ...] = ()
    """Requests that have ended, and are kept back."""

    def _start(self, thread: Thread, request: Request) -> None:
        self._sent |= {request.serial}
        super()._start(thread, request)

    def deliver(self, request: Request) -> None:
        self._sent -= {request.serial}
        self._ended += (request,)
        newest = max(self._sent, default=0)
        ended = [one for one in self._ended if one.serial > newest]
        self._ended = tuple(one for one in self._ended if one.serial < newest)
        for one in ended:
            super().deliver(one)


class _OrderIgnored(VirtioBlk):
    def push(self, thread: Thread, request: Request, length: int) -> None:
        if self.broken:
            self.cancel(thread, request)
        else:
            self.push_now(thread, request, length)


FAMILY: Final = (
    Defect(
        "used_before_data",
        2026,
        "vblkfuzz",
        "A request is pushed before its data is in memory.",
        ("S14", "S24"),
        (_UsedBeforeData,),
    ),
    Defect(
        "reads_by_address",
        2026,
        "vblkfuzz",
        "Merged reads get their data in the order of their addresses, not of their submission.",
        ("S14",),
        (_ReadsByAddress,),
    ),
    Defect(
        "waits_for_newest",
        2026,
        "QEMU nbd_receive_replies up to 10.0",
        "A request is taken as ended only when the backend has no newer one.",
        ("S41",),
        (_WaitsForNewest,),
    ),
    Defect(
        "order_ignored",
        2026,
        "QEMU before virtqueue_ordered_flush",
        "F_IN_ORDER is offered and accepted, but requests are pushed as they end.",
        ("S51",),
        (_OrderIgnored,),
    ),
)
