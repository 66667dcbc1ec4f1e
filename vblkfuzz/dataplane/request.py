"""One request inside the device, from its pop to its push."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from vblkfuzz.dataplane.aio import AioContext
    from vblkfuzz.virtio.queue import DeviceQueue
    from vblkfuzz.virtio.request.blk import BlkRequest


class IoResult(IntEnum):
    """How the backend ended a request, in the order of `scenario.alphabet.backend.RESULTS`."""

    OK = 0
    EIO = 1
    ENOSPC = 2


_OK: Final = IoResult.OK


class Request:
    """A popped request (QEMU: VirtIOBlockReq)."""

    __slots__ = ("blk", "context", "data", "epoch", "head", "queue", "result", "serial", "status")

    def __init__(
        self,
        serial: int,
        queue: DeviceQueue,
        head: int,
        epoch: int,
        blk: BlkRequest,
        context: AioContext,
    ) -> None:
        self.serial = serial
        """Number of its pop in this execution; the first is 1."""
        self.queue = queue
        self.head = head
        self.epoch = epoch
        """Number of resets before its pop."""
        self.blk = blk
        self.context = context
        """Event loop in which it is completed."""
        self.result: IoResult = _OK
        self.status = 0
        """Status byte, when it has been written."""
        self.data = b""
        """Data of a read, or the device ID, to be written into guest memory."""
