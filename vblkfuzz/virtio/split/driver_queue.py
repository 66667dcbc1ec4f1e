"""The driver's end of a split virtqueue: correct, with raw writes for hostile contents.

A chain is sent by `add` (write descriptors), `publish` (make available) and `needs_kick`, and
returned by `get_used` and `release`. The driver records which descriptors it wrote for each head
and never reads them back. It does not trust the used ring: a foreign id is reported and frees
nothing.

Next: `device_queue` for the other end.
"""

from __future__ import annotations

from collections.abc import Sequence

from vblkfuzz.virtio.chain import Segment
from vblkfuzz.virtio.in_order import InOrder
from vblkfuzz.virtio.layout import (
    AVAIL_F_NO_INTERRUPT,
    DESC_F_INDIRECT,
    DESC_F_NEXT,
    DESC_F_WRITE,
    DESCRIPTOR,
    DESCRIPTOR_SIZE,
    USED_F_NO_NOTIFY,
    RingLayout,
    vring_need_event,
)
from vblkfuzz.virtio.memory import GuestMemory
from vblkfuzz.virtio.queue import DriverQueue as AnyDriverQueue
from vblkfuzz.virtio.queue import QueueFull
from vblkfuzz.virtio.ring_error import AddressError

U16 = 0xFFFF


class DriverQueue(AnyDriverQueue):
    """One queue with a split ring as the driver sees it.

    `outstanding`: heads added and not yet released, each with its descriptors.
    `avail_idx`, `last_used`: u16, entries published and collected.
    """

    __slots__ = (
        "_avail_idx",
        "_avail_ring",
        "_batch",
        "_free",
        "_kick_asked",
        "_mask",
        "_order",
        "_u16",
        "_u32",
        "_used_idx",
        "_used_ring",
        "layout",
    )

    def __init__(
        self,
        memory: GuestMemory,
        layout: RingLayout,
        event_idx: bool,
        first: int = 0,
        in_order: bool = False,
    ) -> None:
        """Zero the three areas and start with all descriptors free (2.7.13, 4.1.5.1.3).

        The indices begin at `first` (u16). If it is not 0, the ring looks as if both sides had
        used it before. With `in_order` it uses descriptors in the order of the ring, too (2.7.5).

        Raises:
            RingError: size, alignment or address of the ring is wrong.
        """
        layout.check(memory.size)
        memory.write(layout.desc, bytes(layout.desc_end - layout.desc))
        memory.write(layout.avail, bytes(layout.avail_end - layout.avail))
        memory.write(layout.used, bytes(layout.used_end - layout.used))
        self.memory = memory
        self.layout = layout
        self.event_idx = event_idx
        self.outstanding: dict[int, list[int]] = {}
        self.avail_idx = self.last_used = self._kick_asked = first
        self._order = InOrder() if in_order else None
        self._batch: list[tuple[int, int]] = []
        """Chains of the used entry taken last that are not collected yet."""
        self._free = list(range(layout.size - 1, -1, -1))
        self._mask = layout.size - 1
        self._u16, self._u32 = memory.u16, memory.u32
        self._avail_idx = layout.avail_idx >> 1
        self._avail_ring = layout.avail_ring(0) >> 1
        self._used_idx = layout.used_idx >> 1
        self._used_ring = layout.used_ring(0) >> 2
        if first:
            for index in (layout.avail_idx, layout.used_idx, layout.used_event, layout.avail_event):
                memory.u16[index >> 1] = first

    @property
    def num_free(self) -> int:
        """Number of free descriptors."""
        return len(self._free)

    def add(
        self,
        readable: Sequence[Segment],
        writable: Sequence[Segment],
        indirect_table: int | None = None,
    ) -> int:
        """Write a chain and return its head (2.7.13.1); the device does not see it yet.

        With `indirect_table`, a guest address, the chain is written into a table there and takes
        one descriptor of the ring (2.7.5.3).

        Raises:
            QueueFull: too few free descriptors; nothing is written.
            AddressError: the indirect table lies outside guest memory; nothing is written.
            ValueError: the chain has no segment.
        """
        count = len(readable) + len(writable)
        if not count:
            raise ValueError("expected at least one segment, found none")
        if indirect_table is not None:
            return self._add_indirect(readable, writable, indirect_table)
        slots = self._take(count, writable)
        self._write_chain(self.layout.desc, slots, readable, writable)
        return slots[0]

    def _add_indirect(
        self, readable: Sequence[Segment], writable: Sequence[Segment], table: int
    ) -> int:
        """Write the chain into the table at address `table`, and a descriptor that refers to it."""
        count = len(readable) + len(writable)
        length = DESCRIPTOR_SIZE * count
        if table < 0 or table + length > self.memory.size:
            raise AddressError(f"indirect table of {length} bytes at {table:#x}")
        (head,) = self._take(1, writable)
        self._write_chain(table, range(count), readable, writable)
        self.write_descriptor(head, table, length, DESC_F_INDIRECT, 0)
        return head

    def _take(self, count: int, writable: Sequence[Segment]) -> list[int]:
        """Take `count` free descriptors; the first of them is the head."""
        free = self._free
        if len(free) < count:
            raise QueueFull(f"{count} descriptors needed, {len(free)} free")
        slots = free[: -count - 1 : -1]
        del free[-count:]
        self.outstanding[slots[0]] = slots
        if self._order is not None:
            self._order.add(slots[0], writable)
        return slots

    def _write_chain(
        self,
        table: int,
        slots: Sequence[int],
        readable: Sequence[Segment],
        writable: Sequence[Segment],
    ) -> None:
        """Write the segments into the descriptors `slots` of `table`, linked in that order."""
        data, pack_into = self.memory.bytes, DESCRIPTOR.pack_into
        position, last = 0, len(slots) - 1
        for segments, direction in ((readable, 0), (writable, DESC_F_WRITE)):
            for address, length in segments:
                at = table + DESCRIPTOR_SIZE * slots[position]
                if position == last:
                    pack_into(data, at, address, length, direction, 0)
                    return
                position += 1
                pack_into(data, at, address, length, direction | DESC_F_NEXT, slots[position])

    def publish(self, head: int) -> int:
        """Make an outstanding chain available and return the new avail idx (2.7.13.2, .3).

        Raises:
            ValueError: `head` is not outstanding; `publish_raw` does not check that.
        """
        if head not in self.outstanding:
            raise ValueError(f"expected an outstanding head, found {head}")
        return self.publish_raw(head)

    def publish_raw(self, head: int) -> int:
        """Make any `head` (u16) available and return the new avail idx."""
        u16, old = self._u16, self.avail_idx
        u16[self._avail_ring + (old & self._mask)] = head
        self.avail_idx = new = (old + 1) & U16
        u16[self._avail_idx] = new
        if self._order is not None:
            self._order.publish(head)
        return new

    def jump_avail_idx(self, by: int) -> int:
        """Move avail idx by any distance without writing entries; return the new avail idx."""
        self.avail_idx = self._u16[self._avail_idx] = (self.avail_idx + by) & U16
        return self.avail_idx

    def write_descriptor(
        self, index: int, address: int, length: int, flags: int, following: int
    ) -> None:
        """Write descriptor `index` of the ring, also if it is in use.

        Raises:
            ValueError: the ring has no such descriptor.
        """
        if not 0 <= index < self.layout.size:
            raise ValueError(f"expected a descriptor below {self.layout.size}, found {index}")
        at = self.layout.desc + DESCRIPTOR_SIZE * index
        DESCRIPTOR.pack_into(self.memory.bytes, at, address, length, flags, following)

    def needs_kick(self) -> bool:
        """Return whether the chains published since the last check require a kick (2.7.10).

        With EVENT_IDX: if avail idx has passed avail_event. Without: unless NO_NOTIFY is set.
        """
        old, new = self._kick_asked, self.avail_idx
        self._kick_asked = new
        self.memory.barrier()  # the device sees the published chains before its request is read
        if not self.event_idx:
            return not self._u16[self._used_idx - 1] & USED_F_NO_NOTIFY
        return vring_need_event(self._u16[self.layout.avail_event >> 1], new, old)

    def wrong_flags(self) -> int:
        """Return the flags of the used ring unless 0, or without EVENT_IDX 1 (2.7.10.1)."""
        flags = self._u16[self._used_idx - 1]
        return flags if flags > (not self.event_idx) else 0

    def get_used(self) -> tuple[int, int] | None:
        """Take the next used entry as (id, bytes written), or None (2.7.14).

        With F_IN_ORDER an entry may be about several chains: they are taken one by one (2.7.9).

        Both values are the device's and not checked. A wrong used idx can show up to 65535
        entries, so the caller limits the number of calls.
        """
        last = self.last_used
        shown = self._u16[self._used_idx] - last & U16
        if not shown and not self._batch:
            return None
        self.last_used = (last + 1) & U16
        if self._batch:
            return self._batch.pop(0)
        entry = self._used_ring + 2 * (last & self._mask)
        used = self._u32[entry], self._u32[entry + 1]
        if self._order is None:
            return used
        first, *self._batch = self._order.used(*used, shown)
        return first

    def release(self, head: int) -> bool:
        """Free the chain of `head`; False if there is none outstanding (a foreign used entry)."""
        slots = self.outstanding.pop(head, None)
        if slots is None:
            return False
        if self._order is None:
            self._free.extend(reversed(slots))  # last freed, first taken
        else:
            self._free[:0] = reversed(slots)
        return True

    def set_used_event(self, ahead: int) -> int:
        """Ask for a call at the used entry that is `ahead` entries after the next one (2.7.7).

        A negative number is an entry that has passed: its call comes after all indices.

        Returns the used_event written (u16).
        """
        self._u16[self.layout.used_event >> 1] = used_event = (self.last_used + ahead) & U16
        self.memory.barrier()  # the device sees used_event before the driver reads the used ring
        return used_event

    def set_no_interrupt(self, on: bool) -> None:
        """Suppress all calls, or allow them again (2.7.7); devices with EVENT_IDX ignore it."""
        self._u16[self._avail_idx - 1] = AVAIL_F_NO_INTERRUPT if on else 0
        self.memory.barrier()
