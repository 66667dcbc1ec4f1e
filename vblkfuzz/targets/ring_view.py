"""The ring of one queue, split or packed, as one sees it who only looks at memory.

A split ring has two indices in memory. In a packed ring a descriptor shows that it is used, and the
next one that the device uses is behind as many descriptors as its chain had. Those who published it
have to tell how many (`driver.published`); an id that nobody published is taken for one.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Final

from vblkfuzz.driver.memory_map import packed_layout, ring_layout
from vblkfuzz.virtio.layout import DESC_F_NEXT, DESCRIPTOR_SIZE, USED_F_NO_NOTIFY
from vblkfuzz.virtio.packed.layout import DESC_MARKS, EVENT_DESC, EVENT_DISABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.driver.published import Published
    from vblkfuzz.scenario.device import DeviceConfig
    from vblkfuzz.virtio.layout import RingLayout
    from vblkfuzz.virtio.memory import GuestMemory
    from vblkfuzz.virtio.packed.layout import RingLayout as PackedLayout
    from vblkfuzz.virtio.queue import Areas

_U16: Final = 0xFFFF


def view_of(
    memory: GuestMemory, config: DeviceConfig, queue: int, bank: int, *, packed: bool
) -> RingView:
    """Return the view of a ring that the driver has just set up.

    Args:
        memory: guest memory.
        config: the device of the scenario.
        queue: number of the queue.
        bank: where its rings are (`driver.guest_queue`).
        packed: their form.
    """
    size, first = config.queue_size, config.first_index
    if packed:
        return PackedView(memory, packed_layout(queue, size, bank), first)
    return SplitView(memory, ring_layout(queue, size, bank), first)


class RingView:
    """What is common to both forms. `used`: u16, used entries that have been read."""

    layout: Areas
    used: int

    def publish(self, published: Published) -> None:
        """Note that the driver published a chain."""

    def take(self, published: Published) -> None:
        """Note that the device dequeued a chain."""

    @abstractmethod
    def beyond(self, taken: int) -> int:
        """Return the head that a device finds which reads beyond what was published.

        Args:
            taken: chains that it took before, u16.
        """

    @abstractmethod
    def new_used(self) -> list[tuple[int, int]]:
        """Return id and length of the new used entries, at most as many as the ring has."""

    @abstractmethod
    def idle(self, avail: int, new: Sequence[Published]) -> bool:
        """Return whether all published chains have a used entry now.

        Args:
            avail: chains published and noted, u16.
            new: chains published since.
        """

    @abstractmethod
    def asks_for_kicks(self, new: Sequence[Published], *, event_idx: bool) -> bool:
        """Return whether the device asks for a kick at the next chain, after `new` ones."""


class SplitView(RingView):
    """A split ring (virtio 1.2, 2.7)."""

    layout: RingLayout

    def __init__(self, memory: GuestMemory, layout: RingLayout, first: int) -> None:
        """Look at the rings at `layout`, which begin at index `first`."""
        self.layout = layout
        self.used = first
        self._u16, self._u32 = memory.u16, memory.u32

    def beyond(self, taken: int) -> int:
        """Return the head in the entry of the available ring."""
        return self._u16[self.layout.avail_ring(taken % self.layout.size) >> 1]

    def new_used(self) -> list[tuple[int, int]]:
        """Return id and length of the entries up to the used idx."""
        layout, u16, u32 = self.layout, self._u16, self._u32
        found: list[tuple[int, int]] = []
        while u16[layout.used_idx >> 1] != self.used and len(found) < layout.size:
            entry = layout.used_ring(self.used % layout.size) >> 2
            found.append((u32[entry], u32[entry + 1]))
            self.used = (self.used + 1) & _U16
        return found

    def idle(self, avail: int, new: Sequence[Published]) -> bool:
        """Return whether the used idx covers all published requests."""
        return self._u16[self.layout.used_idx >> 1] == (avail + len(new)) & _U16

    def asks_for_kicks(self, new: Sequence[Published], *, event_idx: bool) -> bool:
        """Return whether avail_event or the flags ask for one."""
        u16, layout = self._u16, self.layout
        if event_idx and u16[layout.avail_event >> 1] != u16[layout.avail_idx >> 1]:
            return False
        return not u16[layout.used_flags >> 1] & USED_F_NO_NOTIFY


class PackedView(RingView):
    """A packed ring (virtio 1.2, 2.8)."""

    layout: PackedLayout

    def __init__(self, memory: GuestMemory, layout: PackedLayout, first: int) -> None:
        """Look at the ring at `layout`; driver and device begin at position `first`."""
        self.layout = layout
        self.used = first
        self._u16, self._u32 = memory.u16, memory.u32
        self._next = self._taken = self._shown = first % layout.places
        """Places of the next used descriptor, and of the next one to take and to publish."""
        self._spans: dict[int, int] = {}
        """By id: descriptors of the chain that was published last."""

    def publish(self, published: Published) -> None:
        """Note how many descriptors a chain takes."""
        self._spans[published.head] = published.span
        self._shown = (self._shown + published.span) % self.layout.places

    def take(self, published: Published) -> None:
        """Note that the device dequeued a chain."""
        self._taken = (self._taken + published.span) % self.layout.places

    def beyond(self, taken: int) -> int:
        """Return the id of the chain that is next: it is in its last descriptor (2.8.6)."""
        place = self._taken
        for _ in range(self.layout.size - 1):
            if not self._u16[(self._at(place) >> 1) + 7] & DESC_F_NEXT:
                break
            place += 1
        return self._u16[(self._at(place) >> 1) + 6]

    def _at(self, place: int) -> int:
        return self.layout.desc + DESCRIPTOR_SIZE * (place % self.layout.size)

    def _entry(self, place: int) -> tuple[int, int] | None:
        """Return id and length of the used descriptor at a place; None: it is not used."""
        at = self._at(place)
        if self._u16[(at >> 1) + 7] & DESC_MARKS != self.layout.used_at(place):
            return None
        return self._u16[(at >> 1) + 6], self._u32[(at >> 2) + 2]

    def new_used(self) -> list[tuple[int, int]]:
        """Return id and length of the used descriptors since the last call."""
        found: list[tuple[int, int]] = []
        while len(found) < self.layout.size and (entry := self._entry(self._next)):
            found.append(entry)
            self._next = (self._next + self._spans.get(entry[0], 1)) % self.layout.places
        self.used = (self.used + len(found)) & _U16
        return found

    def idle(self, avail: int, new: Sequence[Published]) -> bool:
        """Return whether as many descriptors are used as chains were published."""
        spans = self._spans | {each.head: each.span for each in new}
        place = self._next
        for _ in range((avail + len(new) - self.used) & _U16):
            entry = self._entry(place)
            if entry is None:
                return False
            place = (place + spans.get(entry[0], 1)) % self.layout.places
        return True

    def asks_for_kicks(self, new: Sequence[Published], *, event_idx: bool) -> bool:
        """Return whether the device area asks for one (2.8.10)."""
        layout, event = self.layout, self.layout.used >> 1
        flags = self._u16[event + 1] & 3
        if flags != EVENT_DESC or not event_idx:
            return flags != EVENT_DISABLE
        shown = self._shown + sum(each.span for each in new)
        return layout.place_of(self._u16[event]) == shown % layout.places
