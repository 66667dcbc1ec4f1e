"""The inflight area from the back-end's side: a note of each request that is taken.

Its content has a form for split rings and one for packed rings; the specification has both
("Inflight I/O tracking"). Requests are returned one at a time, so there is no batch to undo: a
back-end dies between two messages or kicks, never within one.

Next: `split_notes`, `packed_notes`.
"""

from __future__ import annotations

import mmap
import os
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.targets.vhost.inflight import InflightArea
    from vblkfuzz.virtio.chain import Chain
    from vblkfuzz.virtio.queue import DeviceQueue as AnyQueue


class Notes(ABC):
    """An area that SET_INFLIGHT_FD has named."""

    def __init__(self, area: InflightArea, fd: int) -> None:
        """Map it; `fd` stays open.

        Raises:
            OSError, ValueError: it cannot be mapped.
        """
        self.bytes: Final = mmap.mmap(fd, area.offset + area.size)
        self.area: Final = area
        self.count = 0
        """Dequeues so far."""

    @classmethod
    def new_area(cls, asked: InflightArea) -> tuple[InflightArea, int]:
        """Return the area that GET_INFLIGHT_FD asks for, and a memfd, which the caller closes."""
        size = asked.queues * cls.queue_bytes(asked.queue_size)
        fd = os.memfd_create("inflight", os.MFD_CLOEXEC)
        os.ftruncate(fd, size)
        return asked._replace(size=size, offset=0), fd

    @staticmethod
    @abstractmethod
    def queue_bytes(size: int) -> int:
        """Return the bytes for a queue of `size` entries."""

    @abstractmethod
    def begin(self, queue: AnyQueue, base: int, *, indirect: bool) -> Sequence[Chain]:
        """Let a queue go on where it was; return the requests in flight, the oldest first.

        Args:
            queue: it is set up.
            base: as SET_VRING_BASE says.
            indirect: whether chains may have a table.

        Raises:
            RingError: the ring breaks the protocol.
        """

    @abstractmethod
    def add(self, queue: AnyQueue, chain: Chain) -> None:
        """Note that a request was taken.

        Raises:
            RingError: the ring breaks the protocol.
        """

    @abstractmethod
    def remove(self, queue: AnyQueue, head: int) -> None:
        """Note that a request was returned."""

    def has_room_for(self, queue: int) -> bool:
        """Whether the part of a queue lies in the area."""
        return (queue + 1) * self.queue_bytes(self.area.queue_size) <= self.area.size

    def region(self, queue: int) -> int:
        """Return where the part of a queue begins."""
        return self.area.offset + queue * self.queue_bytes(self.area.queue_size)


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
