"""The inflight area of split rings: a note of each request that is taken, by its head.

    queue0 | queue1 | ...     each: a head of 16 bytes, then an entry for each descriptor

Descriptors stay in the ring while their request is in flight, so the head is enough.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final

from vblkfuzz.targets.vhost.vring_base import go_on_at
from vblkfuzz.targets.vhost_user_frontend.notes import Notes
from vblkfuzz.virtio.chain import walk_chain
from vblkfuzz.virtio.split.device_queue import DeviceQueue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.virtio.chain import Chain
    from vblkfuzz.virtio.queue import DeviceQueue as AnyQueue

_ENTRY: Final = Struct("<B5xHQ")
"""Whether the head is in flight; `next`, which only batches need; the number of its dequeue."""
_HEAD: Final = Struct("<QHHHH")
"""Features, version, number of entries, last batch, used idx."""
_U16: Final = 0xFFFF


class SplitNotes(Notes):
    """Notes of split rings."""

    @staticmethod
    def queue_bytes(size: int) -> int:
        """Return the bytes for a queue of `size` entries."""
        return _HEAD.size + _ENTRY.size * size

    def begin(self, queue: AnyQueue, base: int, *, indirect: bool) -> Sequence[Chain]:
        """Go on behind the requests in flight, or at the base; return the former, oldest first."""
        assert isinstance(queue, DeviceQueue)
        heads = self._heads(queue.index)
        go_on_at(queue, base)
        if heads:
            go_on_at(queue, (queue.used_idx + len(heads)) & _U16)
        return [walk_chain(queue.memory, queue.layout, head, indirect) for head in heads]

    def add(self, queue: AnyQueue, chain: Chain) -> None:
        """Note that a request was taken."""
        self.count += 1
        _ENTRY.pack_into(self.bytes, self._place(queue.index, chain.head), 1, 0, self.count)

    def remove(self, queue: AnyQueue, head: int) -> None:
        """Note that a request was returned."""
        _ENTRY.pack_into(self.bytes, self._place(queue.index, head), 0, 0, 0)

    def _heads(self, queue: int) -> Sequence[int]:
        """Return the heads of the requests in flight, in the order in which they were taken."""
        found = []
        for head in range(self.area.queue_size):
            in_flight, _, count = _ENTRY.unpack_from(self.bytes, self._place(queue, head))
            if in_flight:
                found.append((count, head))
                self.count = max(self.count, count)
        return [head for _, head in sorted(found)]

    def _place(self, queue: int, head: int) -> int:
        return self.region(queue) + _HEAD.size + _ENTRY.size * head
