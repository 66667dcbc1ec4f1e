"""Defects of the cache mode that a driver sets in the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.dataplane.block_backend import BlockBackend
from vblkfuzz.dataplane.defects.defect import Defect
from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.virtio.layout import STATUS_DRIVER_OK
from vblkfuzz.virtio.request.blk import RequestType

if TYPE_CHECKING:
    from vblkfuzz.dataplane.request import Request

_WRITES: Final = (RequestType.OUT, RequestType.WRITE_ZEROES)


class _WritebackIgnored(VirtioBlk):
    def set_writeback(self, on: bool) -> None:
        if not self.status & STATUS_DRIVER_OK:
            super().set_writeback(on)


class _WritethroughNotFlushed(VirtioBlk):
    def set_writeback(self, on: bool) -> None:
        super().set_writeback(on)
        if self.status & STATUS_DRIVER_OK:
            self.blk.backend.write_cache = True


class _WritethroughLost(BlockBackend):
    _lasting = b""
    """What a loss of power leaves."""

    def deliver(self, request: Request) -> None:
        if request.blk.type in _WRITES and not self.backend.write_cache:
            self.backend._flushed = self._lasting
        self._lasting = self.backend._flushed
        super().deliver(request)


FAMILY: Final = (
    Defect(
        "writeback_ignored",
        2026,
        "vblkfuzz",
        "A running device does not take a write of the field writeback.",
        ("S31",),
        (_WritebackIgnored,),
    ),
    Defect(
        "writethrough_not_flushed",
        2026,
        "vblkfuzz",
        "In the mode writethrough, which the field shows, writes stay in the cache.",
        ("S31",),
        (_WritethroughNotFlushed,),
    ),
    Defect(
        "writethrough_lost",
        2026,
        "vblkfuzz",
        "Without a write cache each write is said to be flushed, but a loss of power undoes it.",
        ("S14",),
        (_WritethroughLost,),
    ),
)
