"""Defects of limits that are hints only: a request beyond them has to be served (5.2.5, 5.2.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.dataplane.defects.defect import Defect
from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.limits import SECTOR_SIZE
from vblkfuzz.virtio.request.blk import BlkStatus, RequestType, cleared_sectors

if TYPE_CHECKING:
    from vblkfuzz.dataplane.request import Request
    from vblkfuzz.virtio.request.blk import BlkRequest

_ALIGNMENT: Final = 8
"""Sectors."""


class _UnalignedDiscardRefused(VirtioBlk):
    def refusal_of_clear(self, blk: BlkRequest) -> BlkStatus | None:
        first, sectors, _ = cleared_sectors(self.board.memory, blk)
        unaligned = first % _ALIGNMENT or sectors % _ALIGNMENT
        if blk.type == RequestType.DISCARD and unaligned:
            return BlkStatus.IOERR
        return super().refusal_of_clear(blk)


class _BufferOfSeveralSectorsRefused(VirtioBlk):
    def answer_at_once(self, request: Request) -> BlkStatus | None:
        blk = request.blk
        if any(length > SECTOR_SIZE for _, length in (*blk.readable, *blk.writable)):
            return BlkStatus.IOERR
        return super().answer_at_once(request)


FAMILY: Final = (
    Defect(
        "unaligned_discard_refused",
        2026,
        "vblkfuzz",
        "A discard that is no multiple of discard_sector_alignment, a hint, fails.",
        ("S14",),
        (_UnalignedDiscardRefused,),
    ),
    Defect(
        "large_buffer_refused",
        2026,
        "vblkfuzz",
        "A buffer larger than a sector fails, although no size_max says so.",
        ("S14",),
        (_BufferOfSeveralSectorsRefused,),
    ),
)
