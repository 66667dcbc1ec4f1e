"""The inflight area from the back-end's side: a note of each request that is taken, by its head.

    queue0 | queue1 | ...     each: a head of 16 bytes, then an entry for each descriptor

The split form of the specification ("Inflight I/O tracking"). Requests are returned one at a time,
so there is no batch to undo: a back-end dies between two messages or kicks, never within one.
"""

from __future__ import annotations

import mmap
import os
from struct import Struct
from typing import TYPE_CHECKING, Final

from vblkfuzz.targets.vhost.inflight import InflightArea

if TYPE_CHECKING:
    from collections.abc import Sequence

_ENTRY: Final = Struct("<B5xHQ")
"""Whether the head is in flight; `next`, which only batches need; the number of its dequeue."""
_HEAD: Final = Struct("<QHHHH")
"""Features, version, number of entries, last batch, used idx."""


def new_area(asked: InflightArea) -> tuple[InflightArea, int]:
    """Return an area for what GET_INFLIGHT_FD asks for, and a memfd, which the caller closes."""
    size = asked.queues * (_HEAD.size + _ENTRY.size * asked.queue_size)
    fd = os.memfd_create("inflight", os.MFD_CLOEXEC)
    os.ftruncate(fd, size)
    return asked._replace(size=size, offset=0), fd


class Notes:
    """An area that SET_INFLIGHT_FD has named."""

    def __init__(self, area: InflightArea, fd: int) -> None:
        """Map it; `fd` stays open.

        Raises:
            OSError, ValueError: it cannot be mapped.
        """
        self._bytes: Final = mmap.mmap(fd, area.offset + area.size)
        self._area: Final = area
        self._count = 0
        """Dequeues so far."""

    def close(self) -> None:
        """Unmap it."""
        self._bytes.close()

    def add(self, queue: int, head: int) -> None:
        """Note that a request was taken."""
        self._count += 1
        _ENTRY.pack_into(self._bytes, self._place(queue, head), 1, 0, self._count)

    def remove(self, queue: int, head: int) -> None:
        """Note that a request was returned."""
        _ENTRY.pack_into(self._bytes, self._place(queue, head), 0, 0, 0)

    def heads(self, queue: int) -> Sequence[int]:
        """Return the heads of the requests in flight, in the order in which they were taken."""
        found = []
        for head in range(self._area.queue_size):
            in_flight, _, count = _ENTRY.unpack_from(self._bytes, self._place(queue, head))
            if in_flight:
                found.append((count, head))
                self._count = max(self._count, count)
        return [head for _, head in sorted(found)]

    def _place(self, queue: int, head: int) -> int:
        ring = self._area.offset + queue * (_HEAD.size + _ENTRY.size * self._area.queue_size)
        return ring + _HEAD.size + _ENTRY.size * head


class Areas:
    """The inflight areas of a scenario, by the file that each is in."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[int, int], int] = {}

    def clear(self) -> None:
        """Forget them: a scenario begins."""
        self._numbers.clear()

    def number(self, fd: int, *, new: bool = False) -> int:
        """Return the number of the area in a file, from 1; 0: it is not known."""
        status = os.fstat(fd)
        key = status.st_dev, status.st_ino
        if new:
            self._numbers[key] = len(self._numbers) + 1
        return self._numbers.get(key, 0)
