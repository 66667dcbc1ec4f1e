"""Defects of content: a request moves the right bytes, but in another order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.dataplane.block_backend import BlockBackend
from vblkfuzz.dataplane.defects.defect import Defect
from vblkfuzz.dataplane.thread import Steps, Thread
from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.limits import SECTOR_SIZE
from vblkfuzz.virtio.request.blk import BlkStatus, RequestType

if TYPE_CHECKING:
    from vblkfuzz.dataplane.queue_port import QueuePort
    from vblkfuzz.dataplane.request import Request
    from vblkfuzz.virtio.chain import Chain


def _sectors(data: bytes | bytearray) -> list[bytes | bytearray]:
    return [data[at : at + SECTOR_SIZE] for at in range(0, len(data), SECTOR_SIZE)]


class _SectorReversed(VirtioBlk):
    def finish(self, thread: Thread, request: Request, status: BlkStatus) -> Steps:
        if request.blk.type == RequestType.IN:
            request.data = b"".join([sector[::-1] for sector in _sectors(request.data)])
        yield from super().finish(thread, request, status)


class _BuffersSwapped(VirtioBlk):
    def _parse(self, thread: Thread, port: QueuePort, chain: Chain) -> Request | None:
        request = super()._parse(thread, port, chain)
        if request is not None and request.blk.type == RequestType.OUT:
            request.blk = request.blk._replace(readable=tuple(sorted(request.blk.readable)))
        return request


class _SectorsSwapped(BlockBackend):
    def deliver(self, request: Request) -> None:
        blk, disk = request.blk, self.backend.disk
        if blk.type == RequestType.OUT and not request.result:
            place = slice(blk.sector * SECTOR_SIZE, blk.sector * SECTOR_SIZE + blk.data_length)
            disk[place] = b"".join(_sectors(disk[place])[::-1])
        super().deliver(request)


FAMILY: Final = (
    Defect(
        "sector_reversed",
        2026,
        "vblkfuzz",
        "A read finds the bytes of each sector in reverse order.",
        ("S14",),
        (_SectorReversed,),
    ),
    Defect(
        "buffers_swapped",
        2026,
        "vblkfuzz",
        "A write stores its buffers in the order of their addresses, not in that of the chain.",
        ("S14",),
        (_BuffersSwapped,),
    ),
    Defect(
        "sectors_swapped",
        2026,
        "vblkfuzz",
        "The sectors of a write are stored in reverse order.",
        ("S14",),
        (_SectorsSwapped,),
    ),
)
