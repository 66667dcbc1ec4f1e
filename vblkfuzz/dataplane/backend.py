"""The block backend: a disk and the requests it has not ended yet.

By default a submitted request ends at once and its completion is delivered as a bottom half.
After the operation `hold`, requests stay in flight until the operation `complete` ends one with a
result: the order and the errors are part of the scenario. A write takes effect when it ends, and
survives a loss of power after the next flush, without a write cache at once. A loss of power ends
all requests in flight. A request that reaches beyond the end of the disk fails at once (QEMU:
blk_check_byte_request); the disk may have shrunk since the device checked it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from vblkfuzz.dataplane.request import IoResult, Request
from vblkfuzz.limits import SECTOR_SIZE
from vblkfuzz.trace.event import ActorId
from vblkfuzz.trace.kinds import FLUSHED, IO_DONE
from vblkfuzz.virtio.request.blk import RequestType, cleared_sectors, gather

if TYPE_CHECKING:
    from vblkfuzz.trace.ring import TraceRing
    from vblkfuzz.virtio.memory import GuestMemory

# Looked up once: these are needed some six times an execution (docs/decisions/0010).
_OK: Final = IoResult.OK
_EIO: Final = IoResult.EIO
_HARNESS: Final = ActorId.HARNESS
_IN: Final = RequestType.IN
_OUT: Final = RequestType.OUT
_FLUSH: Final = RequestType.FLUSH

Done = Callable[[Request], None]


_CLEARS: Final = (RequestType.WRITE_ZEROES, RequestType.DISCARD)
_WRITES: Final = (_OUT, *_CLEARS)


class Backend:
    """A disk in a bytearray; the scenario controls its completions."""

    def __init__(self, memory: GuestMemory, ring: TraceRing, sectors: int, on_done: Done) -> None:
        self.disk = bytearray(sectors * SECTOR_SIZE)
        self._flushed = b""
        """Content of the disk at the last flush; zeroes follow."""
        self.write_cache = False
        """Whether a write may be lost until the next flush; else each write is flushed (FUA)."""
        self.holding = False
        self._memory = memory
        self._ring = ring
        self._on_done = on_done
        self._held: list[Request] = []

    @property
    def sectors(self) -> int:
        """Current capacity, in sectors."""
        return len(self.disk) // SECTOR_SIZE

    def resize(self, sectors: int) -> None:
        """Change the capacity to `sectors`; new sectors read as zeroes."""
        size = sectors * SECTOR_SIZE
        del self.disk[size:]
        self.disk.extend(bytes(size - len(self.disk)))
        self._flushed = self._flushed[:size]

    def sync(self) -> None:
        """Make what was written until now outlast a loss of power (bdrv_flush)."""
        self._flushed = bytes(self.disk)

    def lose_power(self) -> None:
        """Lose what was written since the last flush; writes in flight end without an effect."""
        self.disk[:] = self._flushed.ljust(len(self.disk), b"\0")
        for request in tuple(self._held):
            if request.blk.type == _IN:
                self._take_effect(request)
            self._end(request, _OK)

    def holds_any(self) -> bool:
        """Whether requests are in flight here."""
        return bool(self._held)

    def submit(self, request: Request) -> None:
        """Take a request. It ends at once, or while holding when the scenario ends it."""
        self._held.append(request)
        if not self._fits(request):
            self._finish(request, _EIO)
        elif not self.holding:
            self._finish(request, _OK)

    def _fits(self, request: Request) -> bool:
        """Whether a request stays within the disk."""
        blk = request.blk
        if blk.type in _CLEARS:
            cleared = cleared_sectors(self._memory, blk)
            return cleared.sector + cleared.sectors <= self.sectors
        end = blk.sector * SECTOR_SIZE + blk.data_length
        return end <= len(self.disk) or blk.type == _FLUSH

    def complete(self, which: str, result: IoResult) -> None:
        """End held requests: the newest, all, or the one at an index from the oldest.

        An index that no request has ends none.
        """
        if which == "all":
            chosen = list(self._held)
        else:
            index = -1 if which == "newest" else int(which)
            chosen = [self._held[index]] if index < len(self._held) and self._held else []
        for request in chosen:
            self._finish(request, result)

    def release(self) -> None:
        """Stop holding and end all held requests without error."""
        self.holding = False
        self.complete("all", _OK)

    def flush(self) -> None:
        """End held requests other than reads without error; reads stay held."""
        for request in [held for held in self._held if held.blk.type != _IN]:
            self._finish(request, _OK)

    def _finish(self, request: Request, result: IoResult) -> None:
        if result is _OK:
            self._take_effect(request)
        self._end(request, result)

    def _end(self, request: Request, result: IoResult) -> None:
        self._held.remove(request)
        request.result = result
        self._ring.emit(
            IO_DONE,
            _HARNESS,
            request.queue.index,
            result,
            request.head,
            request.serial,
            request.epoch,
        )
        if not self.write_cache and result is _OK and request.blk.type in _WRITES:
            queue, head = request.queue.index, request.head
            self._ring.emit(FLUSHED, _HARNESS, queue, 0, head, request.serial, request.epoch)
        self._on_done(request)

    def _take_effect(self, request: Request) -> None:
        blk = request.blk
        start = blk.sector * SECTOR_SIZE
        if blk.type == _IN:
            request.data = bytes(self.disk[start : start + blk.data_length])
        elif blk.type == _OUT:
            self._write(start, gather(self._memory, blk.readable))
        elif blk.type in _CLEARS:
            sector, sectors, _ = cleared_sectors(self._memory, blk)
            self._write(sector * SECTOR_SIZE, bytes(sectors * SECTOR_SIZE))
        else:
            self.sync()

    def _write(self, start: int, data: bytes) -> None:
        """Write what fits: a resize may have shrunk the disk since the request was checked."""
        data = data[: max(0, len(self.disk) - start)]
        self.disk[start : start + len(data)] = data
        if not self.write_cache:
            self._flushed = bytes(self.disk)
