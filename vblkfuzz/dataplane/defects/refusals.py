"""Defects of what a device has to refuse: lengths, sectors, flags, writes to a read-only disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.dataplane.defects.defect import Defect
from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.limits import SECTOR_SIZE
from vblkfuzz.virtio.request.blk import BlkStatus, RequestType

if TYPE_CHECKING:
    from vblkfuzz.dataplane.request import Request
    from vblkfuzz.virtio.request.blk import BlkRequest

_DATA = (RequestType.IN, RequestType.OUT)
_BYTES: Final = 1 << 64
"""Number of byte addresses that fit into 64 bits."""


class _OddLengthServed(VirtioBlk):
    def answer_at_once(self, request: Request) -> BlkStatus | None:
        if request.blk.type in _DATA and request.blk.data_length % SECTOR_SIZE:
            return None
        return super().answer_at_once(request)


class _SectorWraps(VirtioBlk):
    def answer_at_once(self, request: Request) -> BlkStatus | None:
        blk = request.blk
        if blk.type in _DATA:
            sector = blk.sector % (_BYTES // SECTOR_SIZE)
            request.blk = blk._replace(sector=sector)
        return super().answer_at_once(request)


class _FlagsIgnored(VirtioBlk):
    def refusal_of_clear(self, blk: BlkRequest) -> BlkStatus | None:
        status = super().refusal_of_clear(blk)
        return None if status is BlkStatus.UNSUPP else status


class _ReadOnlyForgotten(VirtioBlk):
    def writable(self) -> bool:
        return True


FAMILY: Final = (
    Defect(
        "odd_length_served",
        2026,
        "vblkfuzz",
        "A read or write of a length that is no multiple of 512 bytes is served.",
        ("S30",),
        (_OddLengthServed,),
    ),
    Defect(
        "sector_wraps",
        2026,
        "vblkfuzz",
        "The sector is turned into bytes in 64 bits, so sector 2^55 is sector 0.",
        ("S30",),
        (_SectorWraps,),
    ),
    Defect(
        "flags_ignored",
        2026,
        "vblkfuzz",
        "The flags of a discard or of zeroes are not looked at.",
        ("S30",),
        (_FlagsIgnored,),
    ),
    Defect(
        "read_only_forgotten",
        2026,
        "vblkfuzz",
        "A device that offers F_RO carries out a write.",
        ("S14", "S29"),
        (_ReadOnlyForgotten,),
    ),
)
