"""What can be seen of one set-up of one queue's rings, from shared memory alone.

A *life* begins when the driver sets a queue up and is over with a reset, but it is watched on: an
old ring or an old buffer that changes is what S4 is about. At the end of a life the buffers that
the device could still write are the driver's again; they are filled with poison, and what is no
poison later was written by the device.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.virtio.chain import walk_chain
from vblkfuzz.virtio.ring_error import RingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.virtio.layout import RingLayout
    from vblkfuzz.virtio.memory import GuestMemory

_U16: Final = 0xFFFF
_POISON: Final = 0xA5
"""No disk content of ours and no status: neither is this byte."""

Segments = tuple[tuple[int, int], ...]


class Published(NamedTuple):
    """A request that the driver made available."""

    head: int
    writable: Segments
    """Buffers that the device may write; empty if the chain is broken."""


class Request(NamedTuple):
    """A request that the device has dequeued."""

    serial: int
    published: Published


class Life:
    """One set-up of one queue's rings."""

    def __init__(
        self, memory: GuestMemory, queue: int, epoch: int, layout: RingLayout, first: int
    ) -> None:
        """Begin.

        Args:
            memory: guest memory.
            queue: number of the queue.
            epoch: resets so far.
            layout: of its rings.
            first: index that its rings begin with.
        """
        self.queue = queue
        self.epoch = epoch
        self.hostile = False
        """The driver broke the protocol: what the device answers is the driver's own doing."""
        self.taken = first
        """Dequeues so far: the device's last_avail."""
        self.used = first
        """Used entries seen."""
        self.ended_by = 0
        """Path of the reset that ended it; 0 before that."""
        self.owned: dict[int, Request] = {}
        """Dequeued and not pushed, by head."""
        self._memory = memory
        self._first = first
        self.layout = layout
        self._published: list[Published] = []
        self._watched: dict[Segments, int] = {}

    def writable(self, head: int) -> Segments:
        """Buffers of a chain that the device may write; none if the chain is broken."""
        try:
            return walk_chain(self._memory, self.layout, head, True).writable
        except RingError:
            return ()

    def publish(self, head: int) -> None:
        """The driver made `head` available; its chain is read now, while the driver owns it."""
        self._published.append(Published(head, self.writable(head)))

    def waiting(self, head: int) -> bool:
        """Whether `head` was published and is not known to be dequeued."""
        return any(one.head == head for one in self._not_taken())

    def _not_taken(self) -> list[Published]:
        return self._published[self.taken - self._first & _U16 :]

    def take(self, serial: int) -> Request:
        """The device dequeues the next entry of the avail ring."""
        waiting = self._not_taken()
        if waiting:
            published = waiting[0]
        else:  # it read beyond avail idx, or the idx jumped
            slot = self.taken % self.layout.size
            head = self._memory.u16[self.layout.avail_ring(slot) >> 1]
            published = Published(head, ())
        self.taken = (self.taken + 1) & _U16
        request = Request(serial, published)
        self.owned[published.head] = request
        return request

    def new_used(self) -> list[int]:
        """Return ids of used entries that are new; at most a ring full of them."""
        layout, memory = self.layout, self._memory
        found: list[int] = []
        while memory.u16[layout.used_idx >> 1] != self.used and len(found) < layout.size:
            found.append(memory.u32[layout.used_ring(self.used % layout.size) >> 2])
            self.used = (self.used + 1) & _U16
        return found

    def idle(self, new: int) -> bool:
        """Whether the used idx has reached what was published, with `new` more than known here."""
        used = self._memory.u16[self.layout.used_idx >> 1]
        return used == (self._first + len(self._published) + new) & _U16

    def status(self, request: Request) -> int:
        """Return the status byte of a request that was pushed: its last writable byte."""
        if not request.published.writable:
            return 0
        address, length = request.published.writable[-1]
        return self._memory.bytes[address + length - 1]

    # --- After its end ------------------------------------------------------------------------

    def end(self, path: int) -> Sequence[int]:
        """Poison what the device could still write; return the heads of its requests."""
        self.ended_by = path
        serials = {request.published: request.serial for request in self.owned.values()}
        waiting = self._not_taken()
        for published in (*serials, *waiting):
            if published.writable:
                self._watched[published.writable] = serials.get(published, 0)
                for address, length in published.writable:
                    self._memory.bytes[address : address + length] = bytes([_POISON]) * length
        return [published.head for published in (*serials, *waiting)]

    def forget(self, writable: Segments) -> None:
        """The driver uses these buffers again; none: nobody knows which."""
        for watched in list(self._watched):
            # The status byte comes last: one to each slot of the driver.
            if not writable or watched[-1] == writable[-1]:
                del self._watched[watched]

    def written(self) -> list[int]:
        """Return serials (0: never dequeued) of requests whose buffers have been written."""
        dirty = [segments for segments in self._watched if not self._poisoned(segments)]
        return [self._watched.pop(segments) for segments in dirty]

    def _poisoned(self, segments: Segments) -> bool:
        data = self._memory.bytes
        return all(
            data[address : address + length] == bytes([_POISON]) * length
            for address, length in segments
        )
