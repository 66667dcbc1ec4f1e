"""Defects of caches and of what is merged: an answer comes from a state that is out of date."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.dataplane.block_backend import BlockBackend
from vblkfuzz.dataplane.defects.defect import Defect
from vblkfuzz.dataplane.request import IoResult
from vblkfuzz.limits import SECTOR_SIZE
from vblkfuzz.virtio.request.blk import RequestType, cleared_sectors

if TYPE_CHECKING:
    from vblkfuzz.dataplane.request import Request
    from vblkfuzz.dataplane.thread import Thread


class _ClearedStaysCached(BlockBackend):
    _cache: bytes = b""
    """Content of the disk before the last WRITE_ZEROES."""
    _stale: frozenset[int] = frozenset()
    """Sectors that it cleared, and that were not written since."""

    def _start(self, thread: Thread, request: Request) -> None:
        if request.blk.type == RequestType.WRITE_ZEROES:
            first, sectors, _ = cleared_sectors(self.backend._memory, request.blk)
            self._cache = bytes(self.backend.disk)
            self._stale = frozenset(range(first, first + sectors))
        super()._start(thread, request)

    def deliver(self, request: Request) -> None:
        first, count = request.blk.sector, request.blk.data_length // SECTOR_SIZE
        if request.blk.type == RequestType.OUT:
            self._stale -= frozenset(range(first, first + count))
        elif request.blk.type == RequestType.IN:
            data = bytearray(request.data)
            for sector in self._stale.intersection(range(first, first + count)):
                at, place = sector * SECTOR_SIZE, (sector - first) * SECTOR_SIZE
                data[place : place + SECTOR_SIZE] = self._cache[at : at + SECTOR_SIZE]
            request.data = bytes(data)
        super().deliver(request)


class _FlushJoinsEarlier(BlockBackend):
    _flush: Request | None = None
    """A flush in flight."""
    _covers = b""
    """Content of the disk when it began."""
    _joined: tuple[tuple[Thread, Request], ...] = ()
    """Later flushes, which end with it."""

    def _start(self, thread: Thread, request: Request) -> None:
        if request.blk.type != RequestType.FLUSH:
            super()._start(thread, request)
        elif self._flush is not None:
            self._joined += ((thread, request),)
        else:
            self._flush, self._covers = request, bytes(self.backend.disk)
            super()._start(thread, request)

    def deliver(self, request: Request) -> None:
        super().deliver(request)
        if request is self._flush:
            joined, self._joined, self._flush = self._joined, (), None
            if request.result is IoResult.OK and self.backend.write_cache:
                self.backend._flushed = self._covers
            for thread, later in joined:
                if request.result is IoResult.OK:
                    super().deliver(later)
                else:
                    self._pass_gate(thread, later)


FAMILY: Final = (
    Defect(
        "cleared_stays_cached",
        2026,
        "vblkfuzz",
        "A cache is not told of WRITE_ZEROES, so reads find what was there before.",
        ("S14",),
        (_ClearedStaysCached,),
    ),
    Defect(
        "flush_joins_earlier",
        2026,
        "vblkfuzz",
        "A flush ends with an earlier one in flight, which does not cover the writes in between.",
        ("S14",),
        (_FlushJoinsEarlier,),
    ),
)
