"""Defects of the cache mode that a driver sets in the configuration."""

from __future__ import annotations

from typing import Final

from vblkfuzz.dataplane.defects.defect import Defect
from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.virtio.layout import STATUS_DRIVER_OK


class _WritebackIgnored(VirtioBlk):
    def set_writeback(self, on: bool) -> None:
        if not self.status & STATUS_DRIVER_OK:
            super().set_writeback(on)


class _WritethroughNotFlushed(VirtioBlk):
    def set_writeback(self, on: bool) -> None:
        super().set_writeback(on)
        if self.status & STATUS_DRIVER_OK:
            self.blk.backend.write_cache = True


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
)
