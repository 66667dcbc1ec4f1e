"""One request inside the device, from its pop to its push."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from vblkfuzz.dataplane.aio import AioContext
from vblkfuzz.virtio.blk import BlkRequest
from vblkfuzz.virtio.queue import DeviceQueue


class IoResult(IntEnum):
    """How the backend ended a request, in the order of `scenario.alphabet.backend.RESULTS`."""

    OK = 0
    EIO = 1
    ENOSPC = 2


@dataclass(slots=True, eq=False)
class Request:
    """A popped request (QEMU: VirtIOBlockReq)."""

    serial: int
    """Number of its pop in this execution; the first is 1."""
    queue: DeviceQueue
    head: int
    epoch: int
    """Number of resets before its pop."""
    blk: BlkRequest
    context: AioContext
    """Event loop in which it is completed."""
    result: IoResult = IoResult.OK
    status: int = 0
    """Status byte, when it has been written."""
    data: bytes = b""
    """Data of a read, or the device ID, to be written into guest memory."""
