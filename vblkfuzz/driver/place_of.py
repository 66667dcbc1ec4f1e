"""Where a change in guest memory lies: what it was for, or what it is next to.

This is for people. The comparison itself (`driver.memory_watch`) needs only to know what the device
may write.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.trace.event import NO_QUEUE
from vblkfuzz.trace.place import Place
from vblkfuzz.virtio.layout import DESCRIPTOR_SIZE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from vblkfuzz.driver.sent import Sent
    from vblkfuzz.virtio.queue import Areas

Key = tuple[int, int]
"""A request: queue and head."""
Loan = tuple[tuple[slice, ...], "Sent"]
"""What the device may write of a request, and the request."""

_BESIDE: Final = 512
"""A change within so many bytes of a buffer, in memory that is for nothing else, is said to be past
it or before it: one sector."""


class Change(NamedTuple):
    """Where a changed range of memory lies."""

    place: Place
    queue: int = NO_QUEUE
    head: int = 0
    """Head of the request; 0 for rings and unused memory."""
    offset: int = 0
    """Its first byte, from the begin of the place; PAST_BUFFER, BEFORE_BUFFER: bytes between the
    buffer and the nearest changed byte; 0 for unused memory."""


Area = tuple[Change, int, int]
"""A place, with its first address and its length (bytes)."""


class Memory:
    """What guest memory is used for at one moment, and was used for before."""

    def __init__(
        self,
        used: Mapping[Key, Loan],
        ended: Iterable[tuple[Key, Loan, Place]],
        rings: Mapping[Areas, tuple[int, Place]],
    ) -> None:
        """Describe it.

        Args:
            used: requests in use.
            ended: requests that have ended, in this order, and what has ended them.
            rings: rings, each with its queue and what has ended its set-up; UNUSED: nothing.
        """
        headers = {_first(sent) for _, sent in used.values()}
        self._all_ended = list(ended)
        last = {_first(each[1][1]): each for each in self._all_ended}
        self._used = used
        self._ended = [each for header, each in last.items() if header not in headers]
        self._rings = rings

    def place_of(self, start: int, end: int) -> Change:
        """Return where the changed bytes from `start` up to `end` (guest addresses) lie.

        What is in use comes first: then it is certain what was changed. Then what begins or ends
        exactly at a buffer, then what was in use before. Of two requests that ended at the same
        place the earlier one comes last: it may have had buffers that the later one had not.
        """
        used = list(self._used.items())
        before = [(key, loan) for key, loan, _ in self._ended]
        return (
            _inside(start, chain(self._readable(), self._ring_areas()))
            or _beside(start, end, used, 1)
            or _inside(start, chain(self._rings_ended(), _areas(self._ended)))
            or _beside(start, end, used + before, _BESIDE)
            or _inside(start, _areas(reversed(self._all_ended)))
            or Change(Place.UNUSED)
        )

    def _readable(self) -> Iterator[Area]:
        for key, loan in self._used.items():
            for number, segment in enumerate(loan[1].buffers.readable):
                place = Place.READABLE_DATA if number else Place.HEADER
                yield (Change(place, *key), *segment)
            for segment in _tables(loan):
                yield (Change(Place.INDIRECT_TABLE, *key), *segment)

    def _ring_areas(self) -> Iterator[Area]:
        for layout, (queue, ended) in self._rings.items():
            if not ended:
                yield (Change(Place.DESCRIPTORS, queue), layout.desc, layout.avail - layout.desc)
                yield (Change(Place.AVAIL_RING, queue), layout.avail, layout.used - layout.avail)

    def _rings_ended(self) -> Iterator[Area]:
        for layout, (queue, ended) in self._rings.items():
            if ended:
                yield Change(ended, queue), layout.desc, layout.end - layout.desc


def _first(sent: Sent) -> tuple[int, int]:
    """Return the first buffer of a request; a buffer for events has no header."""
    return (sent.buffers.readable or sent.buffers.writable)[0]


def _areas(requests: Iterable[tuple[Key, Loan, Place]]) -> Iterator[Area]:
    for key, loan, ended in requests:
        readable, writable = loan[1].buffers
        for segment in (*readable, *writable, *_tables(loan)):
            yield (Change(ended, *key), *segment)


def _tables(loan: Loan) -> list[tuple[int, int]]:
    _, sent = loan
    count = len(sent.buffers.readable) + len(sent.buffers.writable)
    return [] if sent.table is None else [(sent.table, DESCRIPTOR_SIZE * count)]


def _inside(address: int, areas: Iterator[Area]) -> Change | None:
    for change, start, length in areas:
        if 0 <= address - start < length:
            return change._replace(offset=address - start)
    return None


def _beside(start: int, end: int, loans: Iterable[tuple[Key, Loan]], reach: int) -> Change | None:
    """Return the buffer next to a change, if there are less than `reach` bytes in between."""
    found = [
        (distance, Change(place, *key, distance))
        for key, (_, sent) in loans
        for address, length in sent.buffers.writable
        for place, distance in (
            (Place.PAST_BUFFER, start - address - length),
            (Place.BEFORE_BUFFER, address - end),
        )
        if 0 <= distance < reach
    ]
    return min(found)[1] if found else None
