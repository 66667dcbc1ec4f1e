"""The inflight area of packed rings: a copy of each descriptor that is taken, and the used place.

    queue0 | queue1 | ...     each: a head of 32 bytes, then an entry for each descriptor

A device overwrites descriptors when it returns others, so each entry has all of one. The entries of
a chain are linked by `next`, as those that are free are from `free_head` on; the first one tells
how many there are, and which is the last. A packed ring has no used index in memory, so the head
has the place.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.targets.vhost_user_frontend.notes import Notes
from vblkfuzz.virtio.layout import DESCRIPTOR_SIZE
from vblkfuzz.virtio.packed.chain import chain_of
from vblkfuzz.virtio.packed.device_queue import DeviceQueue
from vblkfuzz.virtio.packed.layout import DESCRIPTOR, WRAP
from vblkfuzz.virtio.queue import Progress
from vblkfuzz.virtio.ring_error import QueueSizeExceeded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.virtio.chain import Chain
    from vblkfuzz.virtio.packed.chain import Descriptor
    from vblkfuzz.virtio.queue import DeviceQueue as AnyQueue

_ENTRY: Final = Struct("<BxHHHQHHIQ")
_HEAD: Final = Struct("<QHHHHHHBB10x")
_VERSION: Final = 1
"""0: the area is new, and says nothing yet."""


class _Entry(NamedTuple):
    """A descriptor; `num`, `last` and `counter` count in the first one of a chain."""

    inflight: int
    next: int
    last: int = 0
    num: int = 0
    counter: int = 0
    """The number of its dequeue."""
    id: int = 0
    flags: int = 0
    length: int = 0
    address: int = 0


class _Head(NamedTuple):
    """What the area says of a queue. An `old` field has the value of before a batch."""

    features: int
    version: int
    desc_num: int
    free_head: int
    old_free_head: int
    used_idx: int
    old_used_idx: int
    used_wrap: int
    old_used_wrap: int

    @property
    def used(self) -> int:
        """Offset of the next descriptor to return, with the wrap counter in bit 15."""
        return self.used_idx | self.used_wrap << 15

    def at(self, used: int, free_head: int) -> _Head:
        """Return it with another place and free entry: requests are returned one at a time."""
        index, wrap = used & ~WRAP, used >> 15
        return _Head(*self[:3], free_head, free_head, index, index, wrap, wrap)


class PackedNotes(Notes):
    """Notes of packed rings."""

    @staticmethod
    def queue_bytes(size: int) -> int:
        """Return the bytes for a queue of `size` entries."""
        return _HEAD.size + _ENTRY.size * size

    def begin(self, queue: AnyQueue, base: int, *, indirect: bool) -> Sequence[Chain]:
        """Go on behind the requests in flight; return them, oldest first.

        Only a new area takes the base. After a loss that is where the ring was started last, as a
        packed ring has no index in memory to restore it by; the area has the place.
        """
        assert isinstance(queue, DeviceQueue)
        if not self._head(queue.index).version:
            self._format(queue.index, base >> 16)
        used, layout = self._head(queue.index).used, queue.layout
        chains = self._in_flight(queue.index)
        avail = (layout.place_of(used) + sum(map(len, chains))) % layout.places
        lengths = tuple((chain[-1][2], len(chain)) for chain in chains)
        queue.go_on_at(len(chains), Progress(layout.off_wrap(avail), used, 0, lengths))
        return [chain_of(queue.memory, layout.size, chain, indirect) for chain in chains]

    def add(self, queue: AnyQueue, chain: Chain) -> None:
        """Note that a request was taken.

        Raises:
            QueueSizeExceeded: the driver has more descriptors in flight than the ring has.
        """
        assert isinstance(queue, DeviceQueue)
        index, head = queue.index, self._head(queue.index)
        entries = self._free(index, head.free_head, queue.span)
        for entry, (address, length, number, flags) in zip(entries, _taken(queue), strict=True):
            after = self._entry(index, entry).next
            noted = _Entry(0, after, id=number, flags=flags, length=length, address=address)
            self._write(index, entry, noted)
        self.count += 1
        first = self._entry(index, entries[0])
        begins = {"inflight": 1, "last": entries[-1], "num": len(entries), "counter": self.count}
        self._write(index, entries[0], first._replace(**begins))
        free = self._entry(index, entries[-1]).next
        self._write_head(index, head.at(head.used, free))

    def remove(self, queue: AnyQueue, head: int) -> None:
        """Note that a request was returned: its entries are free."""
        index, progress = queue.index, queue.progress()
        assert progress is not None
        before = self._head(index)
        free_head = before.free_head
        for number, first in self._firsts(index):
            last = self._entry(index, first.last)
            if last.id == head:
                self._write(index, number, first._replace(inflight=0))
                freed = self._entry(index, first.last)._replace(next=free_head)
                self._write(index, first.last, freed)
                free_head = number
                break
        self._write_head(index, before.at(progress.used, free_head))

    def _in_flight(self, queue: int) -> Sequence[list[Descriptor]]:
        """Return the descriptors of each request in flight, the oldest first."""
        found: list[list[Descriptor]] = []
        for number, first in self._firsts(queue):
            self.count = max(self.count, first.counter)
            entry, chain = number, list[_Entry]()
            while len(chain) < first.num:
                chain.append(self._entry(queue, entry))
                entry = chain[-1].next
            found.append([(each.address, each.length, each.id, each.flags) for each in chain])
        return found

    def _firsts(self, queue: int) -> Sequence[tuple[int, _Entry]]:
        """Return number and content of the first entry of each request in flight, oldest first."""
        entries = [(n, self._entry(queue, n)) for n in range(self.area.queue_size)]
        return sorted(
            [each for each in entries if each[1].inflight], key=lambda one: one[1].counter
        )

    def _free(self, queue: int, free_head: int, count: int) -> Sequence[int]:
        """Return the first `count` free entries."""
        found: list[int] = []
        while len(found) < count:
            if free_head >= self.area.queue_size:
                raise QueueSizeExceeded(f"queue {queue}: more descriptors in flight than entries")
            found.append(free_head)
            free_head = self._entry(queue, free_head).next
        return found

    # --- Bytes --------------------------------------------------------------------------------

    def _format(self, queue: int, used: int) -> None:
        """Begin at a place, with all entries free."""
        size = self.area.queue_size
        for number in range(size):
            self._write(queue, number, _Entry(0, number + 1))
        self._write_head(queue, _Head(0, _VERSION, size, *(0,) * 6).at(used, 0))

    def _head(self, queue: int) -> _Head:
        return _Head(*_HEAD.unpack_from(self.bytes, self.region(queue)))

    def _write_head(self, queue: int, head: _Head) -> None:
        _HEAD.pack_into(self.bytes, self.region(queue), *head)

    def _entry(self, queue: int, number: int) -> _Entry:
        return _Entry(*_ENTRY.unpack_from(self.bytes, self._place(queue, number)))

    def _write(self, queue: int, number: int, entry: _Entry) -> None:
        _ENTRY.pack_into(self.bytes, self._place(queue, number), *entry)

    def _place(self, queue: int, number: int) -> int:
        return self.region(queue) + _HEAD.size + _ENTRY.size * number


def _taken(queue: DeviceQueue) -> Sequence[Descriptor]:
    """Return the descriptors of the chain that was taken last, as they stand in the ring."""
    progress, layout, memory = queue.progress(), queue.layout, queue.memory
    assert progress is not None
    first = layout.place_of(progress.avail) - queue.span
    places = [
        layout.desc + DESCRIPTOR_SIZE * ((first + n) % layout.size) for n in range(queue.span)
    ]
    return [DESCRIPTOR.unpack_from(memory.bytes, place) for place in places]
