"""The driver's end of a packed virtqueue: correct, with raw writes for hostile contents.

`add` writes a chain into the next descriptors but withholds the flags of the first, which `publish`
stores: the device never sees a part of a chain (2.8.6). Chains are published in the order in which
they were added. The driver records what it wrote and never reads it back. It does not trust used
descriptors: a foreign id is reported and frees nothing.

Next: `device_queue` for the other end.
"""

from __future__ import annotations

from collections.abc import Sequence

from vblkfuzz.virtio.chain import Segment
from vblkfuzz.virtio.in_order import InOrder
from vblkfuzz.virtio.layout import (
    DESC_F_INDIRECT,
    DESC_F_NEXT,
    DESC_F_WRITE,
    DESCRIPTOR_SIZE,
)
from vblkfuzz.virtio.memory import GuestMemory
from vblkfuzz.virtio.packed.layout import (
    DESC_MARKS,
    DESCRIPTOR,
    EVENT_DESC,
    EVENT_DISABLE,
    EVENT_ENABLE,
    EVENT_SIZE,
    RingLayout,
)
from vblkfuzz.virtio.queue import DriverQueue as AnyDriverQueue
from vblkfuzz.virtio.queue import QueueFull
from vblkfuzz.virtio.ring_error import AddressError

U16 = 0xFFFF
_HALF = 0x8000

Written = tuple[int, int, int]
"""A descriptor: address, length, and flags without marks."""


class DriverQueue(AnyDriverQueue):
    """One queue with a packed ring as the driver sees it."""

    __slots__ = (
        "_batch",
        "_chains",
        "_free",
        "_ids",
        "_next",
        "_order",
        "_shown",
        "_taken",
        "_u16",
        "_u32",
        "_unkicked",
        "_used",
        "_withheld",
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
        """Clear the three areas and start with all descriptors free (2.8.13, 4.1.5.1.3).

        The positions begin at `first` (u16). If it is not 0, the ring looks as if both sides had
        used so many descriptors before.

        Raises:
            RingError: size, alignment or address of the ring is wrong.
        """
        layout.check(memory.size)
        self.memory = memory
        self.layout = layout
        self.event_idx = event_idx
        self.outstanding: dict[int, list[int]] = {}
        self.avail_idx = self.last_used = first
        self._u16, self._u32 = memory.u16, memory.u32
        self._next = self._shown = self._used = first % layout.places
        """Places of the next descriptor to write, to publish, and to collect."""
        self._unkicked = 0
        """Descriptors published since the last check whether to kick."""
        self._taken: set[int] = set()
        """Addresses of descriptors that were collected since the last call of `returned`."""
        self._free = layout.size
        self._order = InOrder() if in_order else None
        self._batch: list[tuple[int, int]] = []
        """Chains of the used descriptor taken last that are not collected yet."""
        self._ids = list(range(layout.size - 1, -1, -1))
        self._chains: dict[int, list[Written]] = {}
        """By id: what was written of it."""
        self._withheld: dict[int, int] = {}
        """By offset: the flags of the first descriptor of a chain that is not published yet."""
        self._clear()

    def _clear(self) -> None:
        """Zero the areas; mark each descriptor as used in its lap before."""
        layout = self.layout
        for at, length in (
            (layout.desc, layout.desc_end - layout.desc),
            (layout.avail, EVENT_SIZE),
            (layout.used, EVENT_SIZE),
        ):
            self.memory.write(at, bytes(length))
        for number in range(layout.size):
            place = (self._next + number) % layout.places
            before = (place + layout.size) % layout.places
            self._u16[self._flags_at(place % layout.size)] = layout.used_at(before)

    def _flags_at(self, offset: int) -> int:
        return (self.layout.desc >> 1) + 8 * offset + 7

    @property
    def num_free(self) -> int:
        """Number of free descriptors."""
        return self._free

    # --- Sending ----------------------------------------------------------------------------

    def add(
        self,
        readable: Sequence[Segment],
        writable: Sequence[Segment],
        indirect_table: int | None = None,
    ) -> int:
        """Write a chain and return its id (2.8.21); the device does not see it yet.

        Raises:
            QueueFull: too few free descriptors; nothing is written.
            AddressError: the indirect table lies outside guest memory; nothing is written.
            ValueError: the chain has no segment.
        """
        chain = [(*each, 0) for each in readable] + [(*each, DESC_F_WRITE) for each in writable]
        if not chain:
            raise ValueError("expected at least one segment, found none")
        if indirect_table is not None:
            chain = self._in_table(chain, indirect_table)
        linked = [(at, length, flags | DESC_F_NEXT) for at, length, flags in chain[:-1]]
        if len(chain) > self._free:
            raise QueueFull(f"{len(chain)} descriptors needed, {self._free} free")
        head = self._ids.pop()
        self._chains[head] = [*linked, chain[-1]]
        self.outstanding[head] = self._write(head, self._chains[head])
        if self._order is not None:
            self._order.add(head, writable)
        return head

    def _in_table(self, chain: list[Written], table: int) -> list[Written]:
        """Write a chain into a table (2.8.7); return the one descriptor that refers to it."""
        length = DESCRIPTOR_SIZE * len(chain)
        if table < 0 or table + length > self.memory.size:
            raise AddressError(f"indirect table of {length} bytes at {table:#x}")
        if self._free:
            rows = [DESCRIPTOR.pack(at, size, 0, flags) for at, size, flags in chain]
            self.memory.write(table, b"".join(rows))
        return [(table, length, DESC_F_INDIRECT)]

    def _write(self, head: int, chain: list[Written]) -> list[int]:
        """Write a chain into the next descriptors; return their offsets.

        The id of a chain is that of its last descriptor (2.8.6). QEMU takes that of the first one
        (virtqueue_packed_pop), so all get it, as from Linux.
        """
        offsets: list[int] = []
        for number, (address, length, flags) in enumerate(chain):
            place = (self._next + number) % self.layout.places
            offset = place % self.layout.size
            DESCRIPTOR.pack_into(
                self.memory.bytes,
                self.layout.desc + DESCRIPTOR_SIZE * offset,
                address,
                length,
                head,
                self._u16[self._flags_at(offset)],
            )
            self._store_flags(offset, flags | self.layout.available(place), first=not number)
            offsets.append(offset)
        self._next = (self._next + len(chain)) % self.layout.places
        self._free -= len(chain)
        return offsets

    def _store_flags(self, offset: int, flags: int, *, first: bool) -> None:
        if first:
            self._withheld[offset] = flags
        else:
            self._u16[self._flags_at(offset)] = flags

    def publish_raw(self, head: int) -> int:
        """Make a chain available (2.8.21.1) and return the new `avail_idx`.

        One that is available already is written into the next descriptors once more, if they are
        free: then the device sees its id twice.
        """
        offset = self.outstanding[head][0]
        if offset not in self._withheld:
            chain = self._chains[head]
            if len(chain) > self._free:
                return self.avail_idx
            offset = self._write(head, chain)[0]
        count = len(self._chains[head])
        self._u16[self._flags_at(offset)] = self._withheld.pop(offset)
        self._shown = (self._shown + count) % self.layout.places
        self._unkicked += count
        self.avail_idx = (self.avail_idx + 1) & U16
        if self._order is not None:
            self._order.publish(head)
        return self.avail_idx

    def needs_kick(self) -> bool:
        """Return whether the chains published since the last check require a kick (2.8.10)."""
        passed, self._unkicked = self._unkicked, 0
        self.memory.barrier()  # the device sees the published chains before its request is read
        event = self.layout.used >> 1
        flags = self._u16[event + 1] & 3
        if flags != EVENT_DESC or not self.event_idx:
            return flags != EVENT_DISABLE
        place = self.layout.place_of(self._u16[event])
        return (self._shown - place - 1) % self.layout.places < passed

    # --- Collecting -------------------------------------------------------------------------

    def wrong_flags(self) -> int:
        """Return the flags of the device area unless they have a meaning; DESC needs EVENT_IDX."""
        flags = self._u16[(self.layout.used >> 1) + 1]
        return flags if flags > (EVENT_DESC if self.event_idx else EVENT_DISABLE) else 0

    def get_used(self) -> tuple[int, int] | None:
        """Take the next used descriptor as (id, bytes written), or None (2.8.22).

        Both values are the device's and not checked. The next one is behind as many descriptors as
        the chain had; a foreign id is taken for one. With F_IN_ORDER it may be about several
        chains, and is behind all of them: they are taken one by one (2.8.9).
        """
        if self._batch:
            self.last_used = (self.last_used + 1) & U16
            return self._batch.pop(0)
        at = self._used_descriptor(self._used)
        if at is None:
            return None
        self._taken.add(at)
        first, *self._batch = batch = self._batch_at(at, self._order)
        spans = sum(self.span(head) for head, _ in batch)
        self._used = (self._used + spans) % self.layout.places
        self.last_used = (self.last_used + 1) & U16
        return first

    def _batch_at(self, at: int, order: InOrder | None) -> list[tuple[int, int]]:
        """Return id and length of each chain that the used descriptor at an address is about."""
        used = self._u16[(at >> 1) + 6], self._u32[(at >> 2) + 2]
        return [used] if order is None else order.used(*used, self.layout.size)

    def _used_descriptor(self, place: int) -> int | None:
        """Return the address of the descriptor at a place, if it is used now."""
        at = self.layout.desc + DESCRIPTOR_SIZE * (place % self.layout.size)
        flags = self._u16[(at >> 1) + 7]
        return at if flags & DESC_MARKS == self.layout.used_at(place) else None

    def returned(self) -> list[slice]:
        """Return the descriptors that are used, and those collected since the last call (2.8.6).

        The device writes none but these: the next one that is used lies behind as many as the
        chain of the one before had, or all chains that it stands for.
        """
        found, self._taken = self._taken, set()
        order = self._order and self._order.copy()
        place = self._used
        for _ in range(self.layout.size):
            at = self._used_descriptor(place)
            if at is None:
                break
            found.add(at)
            spans = sum(self.span(head) for head, _ in self._batch_at(at, order))
            place = (place + spans) % self.layout.places
        return [slice(at, at + DESCRIPTOR_SIZE) for at in found]

    def span(self, head: int) -> int:
        """Return how many descriptors a chain takes; a foreign id is taken for one."""
        return len(self.outstanding.get(head, (0,)))

    def release(self, head: int) -> bool:
        """Free the chain of `head`; False if there is none outstanding (a foreign used entry)."""
        slots = self.outstanding.pop(head, None)
        if slots is None:
            return False
        del self._chains[head]
        self._free += len(slots)
        self._ids.append(head)
        return True

    def set_used_event(self, ahead: int) -> int:
        """Ask for a call at the descriptor `ahead` behind the next used one (2.8.10).

        Half of all indices is a lap. Without EVENT_IDX the flag DESC must not be set: then the
        offset is written only, and has no effect.

        Returns the place written.
        """
        event = self.layout.avail >> 1
        lap = self.layout.size if ahead >= _HALF else 0
        place = (self._used + lap + ahead % _HALF if lap else self._used + ahead) % (
            self.layout.places
        )
        self._u16[event] = self.layout.off_wrap(place)
        if self.event_idx:
            self._u16[event + 1] = EVENT_DESC
        self.memory.barrier()  # the device sees it before the driver reads the ring
        return place

    def set_no_interrupt(self, on: bool) -> None:
        """Suppress all calls, or allow them again (2.8.10)."""
        self._u16[(self.layout.avail >> 1) + 1] = EVENT_DISABLE if on else EVENT_ENABLE
        self.memory.barrier()

    # --- Raw writes -------------------------------------------------------------------------

    def write_descriptor(
        self, index: int, address: int, length: int, flags: int, following: int
    ) -> None:
        """Write descriptor `index`, also if it is in use; it keeps id, and is marked available.

        A packed ring has no field for `following`: a chain goes on in the next descriptor.

        Raises:
            ValueError: the ring has no such descriptor.
        """
        size = self.layout.size
        if not 0 <= index < size:
            raise ValueError(f"expected a descriptor below {size}, found {index}")
        at = self.layout.desc + DESCRIPTOR_SIZE * index
        behind = (self._next - index - 1) % size + 1
        marks = self.layout.available((self._next - behind) % self.layout.places)
        head, old = self._u16[(at >> 1) + 6], self._u16[(at >> 1) + 7]
        DESCRIPTOR.pack_into(self.memory.bytes, at, address, length, head, old)
        self._store_flags(index, flags | marks, first=index in self._withheld)

    def rename(self, head: int, ident: int) -> None:
        """Write an id into all descriptors of a chain; to the driver it keeps its own."""
        for offset in self.outstanding[head]:
            self._u16[self._flags_at(offset) - 1] = ident

    def pretend(self, count: int) -> list[int]:
        """Take the next free descriptors without writing them; return their offsets."""
        offsets = [(self._next + number) % self.layout.size for number in range(count)]
        self._next = (self._next + count) % self.layout.places
        self._free -= count
        return offsets
