"""A sequential model of the disk: the data that a read may find in a sector.

Each sector has its writes, with the times of their begin and end. A read may find the last write
that ended before the read began, any write concurrent with that one or with the read, and any write
that was cut off or failed, because it may have taken effect or not. It must not find data that was
overwritten before it began. After a power loss it may also find data that was overwritten, if the
overwriting was neither flushed nor stable without a flush.

Requests of broken rings may write anything. After them each sector is unknown, until it is written
again or read: it keeps what the read has found.

Times are positions in a trace. `oracle.rules.data` uses this model. Source: virtio 1.2, 5.2.6.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from vblkfuzz.oracle.rules.stable import Stable
from vblkfuzz.trace.event import Event

ZEROES: Final = 0
"""Data of a sector that was never written, or that was cleared."""
ANYTHING: Final = -1
"""Data of a sector that was discarded: until it is written again, its content is undetermined."""
UNKNOWN: Final = -2
"""Data of a sector that requests of broken rings may have written."""
_RUNNING: Final = 1 << 30
"""End of a write that has not ended: later than any other time."""


class Write:
    """One write to one sector."""

    __slots__ = ("begin", "cut", "data", "end", "event", "flush", "stable", "sure", "through")

    def __init__(
        self, data: int, begin: int, event: Event, end: int = _RUNNING, sure: bool = False
    ) -> None:
        self.data = data
        self.begin = begin
        self.end = end
        self.sure = sure
        """Whether it has ended and certainly taken effect."""
        self.cut = False
        """Whether a reset came before its end."""
        self.flush: Event | None = None
        """What made its overwriting permanent, before a power loss: the end of a flush, or that of
        the overwriting itself (`through`)."""
        self.through = Stable.NO
        self.stable = Stable.NO
        """Whether it has ended and survives a power loss without a flush."""
        self.event = event
        """Its last event in the trace."""

    def ends(self, time: int, event: Event, *, sure: bool) -> None:
        """End the write; `sure` if it has certainly taken effect."""
        self.end, self.sure, self.event = time, sure, event

    def overwriter(self, sure: list[Write]) -> Write | None:
        """Return one of the writes in `sure` that began after this one had ended."""
        end = self.end
        later = [one for one in sure if one.begin >= end and one is not self]
        return next((one for one in later if one.data != UNKNOWN), later[0] if later else None)


class Disk:
    """The writes of the sectors that reads have shown; other sectors are left out."""

    def __init__(self, start: Event, shown: frozenset[int]) -> None:
        self._start = start
        self._shown = shown
        self._forgotten: tuple[int, Event] | None = None
        """The last `forget`, if there was one."""
        self._sectors: defaultdict[int, list[Write]] = defaultdict(self._before)
        """Sectors that a request has begun to write."""
        self._flushed = -1
        """When the last successful flush had begun."""
        self._flush = start

    def _zeroed(self, time: int = -1) -> list[Write]:
        return [Write(ZEROES, time, self._start, time, sure=True)]

    def _before(self) -> list[Write]:
        """Return the writes of a sector that no request has begun to write."""
        return [*self._zeroed(), *self._unknown()]

    def _unknown(self) -> list[Write]:
        if self._forgotten is None:
            return []
        time, event = self._forgotten
        return [Write(UNKNOWN, time, event, time, sure=True)]

    def begin(self, first: int, end: int, data: int, time: int, event: Event) -> list[Write]:
        """Begin a write of `data` to the sectors from `first` to below `end`."""
        begun = []
        for sector in range(first, end):
            if sector in self._shown:
                write = Write(data, time, event)
                self._sectors[sector].append(write)
                begun.append(write)
        return begun

    def flush(self, begin: int, event: Event) -> None:
        """End a successful flush that began at `begin`."""
        if begin > self._flushed:
            self._flushed, self._flush = begin, event

    def resize(self, sectors: int, time: int) -> None:
        """Zero the sectors beyond the end; writes that still run may take effect later."""
        for sector, writes in self._sectors.items():
            if sector >= sectors:
                running = [write for write in writes if write.end == _RUNNING]
                writes[:] = self._zeroed(time) + running

    def forget(self, time: int, event: Event) -> None:
        """Note that `event` ends requests that may have written anything."""
        self._forgotten = time, event
        for writes in self._sectors.values():
            writes.extend(self._unknown())

    def lose_power(self, time: int) -> None:
        """Make each write that may be lost unsure, and what it overwrote possible again."""
        for writes in self._sectors.values():
            lasting = [write for write in writes if self._lasts(write)]
            lost = [(write, by) for write in writes if (by := write.overwriter(lasting))]
            for write, by in lost:
                write.through = by.stable if by.end > self._flushed else Stable.NO
                write.flush = by.event if write.through else self._flush
            for write in writes:
                if write.flush is None and write.end != _RUNNING:
                    write.begin = time
                    write.ends(time, write.event, sure=False)

    def _lasts(self, write: Write) -> bool:
        """Whether a loss of power cannot undo a write."""
        return write.sure and (write.stable != Stable.NO or write.end <= self._flushed)

    def may_find(self, first: int, end: int, begin: int) -> dict[int, set[int]]:
        """Return, by sector, the data that a read from `begin` until now may find."""
        shown = self._shown
        return {
            sector: self.may_hold(sector, begin) for sector in range(first, end) if sector in shown
        }

    def may_hold(self, sector: int, begin: int) -> set[int]:
        """Return the data that a sector may have had at some time from `begin` until now."""
        if sector in self._sectors:
            return _left(self._sectors[sector], begin)
        return {ZEROES if self._forgotten is None else UNKNOWN}

    def last(self, sector: int, data: int) -> Write | None:
        """Return the last write of `data` to a sector; None if there is none."""
        for write in reversed(self._sectors[sector]):
            if write.data == data:
                return write
        return None

    def overwriter(self, sector: int, write: Write, begin: int) -> Write | None:
        """Return a write that had overwritten `write` before `begin`."""
        return write.overwriter(_sure_before(self._sectors[sector], begin))

    def found(self, sector: int, data: int, begin: int, time: int, event: Event) -> None:
        """Note that a read has found `data`; if it was written before, it is the sure content."""
        if any([write.data == data and write.end <= begin for write in self._sectors[sector]]):
            self.learn(sector, data, begin, time, event)

    def learn(self, sector: int, data: int, begin: int, time: int, event: Event) -> None:
        """Note that a read from `begin` to `time` has found `data` in an unknown sector.

        A write beside the read may have come before or after it.
        """
        self._sectors[sector].append(Write(data, begin, event, time, sure=True))


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
