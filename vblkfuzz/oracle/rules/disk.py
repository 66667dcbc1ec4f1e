"""A sequential model of the disk: which data a read may find in a sector.

A sector remembers its writes with the times when they began and ended. A read may find the last one
that had ended before it began, any that ran beside that one or beside the read, and any that was
cut off or failed: nobody knows whether those took effect. It may not find what was overwritten
before it began. After a loss of power it may also find what had been overwritten but not flushed.

Times are positions in a trace. Made for `oracle.rules.data`. Source: virtio 1.2, 5.2.6.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from vblkfuzz.trace.event import Event

ZEROES: Final = 0
"""Data of a sector that nobody wrote, or that was cleared."""
_RUNNING: Final = 1 << 30
"""End of a write that has not ended: later than any other time."""


class Write:
    """One write to one sector."""

    __slots__ = ("begin", "cut", "data", "end", "flush", "said", "sure")

    def __init__(
        self, data: int, begin: int, said: Event, end: int = _RUNNING, sure: bool = False
    ) -> None:
        self.data = data
        self.begin = begin
        self.end = end
        self.sure = sure
        """It has ended and taken effect."""
        self.cut = False
        """A reset came before its end."""
        self.flush: Event | None = None
        """The flush that made its overwriting last, before a loss of power."""
        self.said = said
        """What the trace said of it last."""

    def ends(self, time: int, said: Event, *, sure: bool) -> None:
        """It has ended; unless `sure`, nobody knows whether it took effect."""
        self.end, self.sure, self.said = time, sure, said

    def overwriter(self, sure: list[Write]) -> Write | None:
        """Return one of the writes in `sure` that began after this one had ended."""
        return next((one for one in sure if one.begin >= self.end and one is not self), None)


class Disk:
    """What every sector may hold that a read shows. Nobody asks for the others."""

    def __init__(self, start: Event, shown: frozenset[int]) -> None:
        self._start = start
        self._shown = shown
        self._sectors: defaultdict[int, list[Write]] = defaultdict(self._zeroed)
        """Those that somebody has begun to write."""
        self._flushed = -1
        """When the last flush that ended well had begun."""
        self._flush = start

    def _zeroed(self, time: int = -1) -> list[Write]:
        return [Write(ZEROES, time, self._start, time, sure=True)]

    def begin(self, first: int, end: int, data: int, time: int, said: Event) -> list[Write]:
        """A request begins to write `data` to the sectors from `first` to below `end`."""
        begun = []
        for sector in range(first, end):
            if sector in self._shown:
                write = Write(data, time, said)
                self._sectors[sector].append(write)
                begun.append(write)
        return begun

    def flush(self, begin: int, said: Event) -> None:
        """A flush that began at `begin` has ended well."""
        if begin > self._flushed:
            self._flushed, self._flush = begin, said

    def resize(self, sectors: int, time: int) -> None:
        """What lies beyond the end is gone; writes that still run may yet come."""
        for sector, writes in self._sectors.items():
            if sector >= sectors:
                running = [write for write in writes if write.end == _RUNNING]
                writes[:] = self._zeroed(time) + running

    def lose_power(self, time: int) -> None:
        """What no flush has made last may be there or not, and what it overwrote as well."""
        for writes in self._sectors.values():
            lasting = [write for write in writes if write.sure and write.end <= self._flushed]
            lost = [write for write in writes if write.overwriter(lasting)]
            for write in writes:
                if write in lost:
                    write.flush = self._flush
                elif write.flush is None:
                    write.begin = time
                    write.ends(time, write.said, sure=False)

    def may_find(self, first: int, end: int, begin: int) -> dict[int, set[int]]:
        """Return by sector the data that a read may find that began at `begin` and ends now."""
        found = {}
        for sector in range(first, end):
            if sector in self._shown:
                writes = self._sectors.get(sector)
                found[sector] = {ZEROES} if writes is None else _left(writes, begin)
        return found

    def last(self, sector: int, data: int) -> Write | None:
        """Return the last write of `data` to a sector; None: nobody wrote it there."""
        for write in reversed(self._sectors[sector]):
            if write.data == data:
                return write
        return None

    def overwriter(self, sector: int, write: Write, begin: int) -> Write | None:
        """Return what had overwritten `write` before `begin`."""
        return write.overwriter(_sure_before(self._sectors[sector], begin))

    def found(self, sector: int, data: int, begin: int, time: int, said: Event) -> None:
        """A read settles it: `data` if it had been written before, no other that had ended."""
        writes = self._sectors[sector]
        if any([write.data == data and write.end <= begin for write in writes]):
            writes.append(Write(data, begin, said, time, sure=True))


def _sure_before(writes: list[Write], time: int) -> list[Write]:
    return [write for write in writes if write.sure and write.end <= time]


def _left(writes: list[Write], begin: int) -> set[int]:
    """Return the data in a sector that had not been overwritten before `begin`."""
    since = -1
    for write in writes:
        if write.begin > since and write.end <= begin and write.sure:
            since = write.begin
    left = set()
    for write in writes:
        if (write.end > since or write.begin == since) and write.flush is None:
            left.add(write.data)
    return left
