"""What both forms of rings have in common: the driver's end of a queue, and the device's.

A ring is split (virtio 1.2, 2.7) or packed (2.8). Guest driver, dataplane and rules know these
classes only. They count *positions*: chains that were published, taken and returned since set-up,
u16, from the first index on. In a split ring they are its indices. A packed ring has none in
memory: there both ends keep, beside the count, the place in the ring where they go on.

The classes are abstract ones rather than protocols, as a compiled build calls these faster. They do
not derive from ABC: in a compiled build that did, a defect of the split class was not planted.

Next: `driver_queue`, `device_queue` for split rings, `packed.driver_queue`, `packed.device_queue`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from vblkfuzz.virtio.chain import Chain, Segment
    from vblkfuzz.virtio.memory import GuestMemory


class Areas(Protocol):
    """Queue size (entries) and guest addresses (bytes) of the three areas of a queue (2.6).

    `avail` is the driver area, `used` the device area, whatever the form of the ring.
    """

    @property
    def size(self) -> int:
        """Number of entries."""

    @property
    def desc(self) -> int:
        """Address of the descriptor area."""

    @property
    def avail(self) -> int:
        """Address of the driver area."""

    @property
    def used(self) -> int:
        """Address of the device area."""

    @property
    def end(self) -> int:
        """Address after the area with the highest addresses."""

    def __hash__(self) -> int:
        """Layouts are values."""

    def driver_part(self) -> slice:
        """Return the memory that only the driver writes."""

    def device_part(self) -> slice:
        """Return the memory that only the device writes."""

    def shared_part(self) -> slice:
        """Return the memory that both write, before or behind the driver's; it may be empty."""


class QueueFull(Exception):
    """Too few free descriptors for the chain."""


class Progress(NamedTuple):
    """How far the device is in a packed ring; a split ring has all of it in memory."""

    avail: int
    """Offset of the next descriptor to take, and the wrap counter in bit 15 (2.8.1)."""
    used: int
    """The same of the next descriptor to return."""
    used_idx: int
    """u16, chains returned."""
    lengths: tuple[tuple[int, int], ...]
    """Of each chain in use: its id, and how many descriptors of the ring it takes."""


class DriverQueue:
    """One queue as the driver sees it.

    `outstanding`: heads added and not yet released, each with its descriptors. `avail_idx`,
    `last_used`: u16, chains published and collected.
    """

    __slots__ = ("avail_idx", "event_idx", "last_used", "memory", "outstanding")

    memory: GuestMemory
    event_idx: bool
    outstanding: dict[int, list[int]]
    avail_idx: int
    last_used: int

    @property
    @abstractmethod
    def num_free(self) -> int:
        """Number of free descriptors."""

    @abstractmethod
    def add(
        self,
        readable: Sequence[Segment],
        writable: Sequence[Segment],
        indirect_table: int | None = None,
    ) -> int:
        """Write a chain and return its head; the device does not see it yet.

        With `indirect_table`, a guest address, the chain is written into a table there and takes
        one descriptor of the ring.

        Raises:
            QueueFull: too few free descriptors; nothing is written.
            AddressError: the indirect table lies outside guest memory; nothing is written.
            ValueError: the chain has no segment.
        """

    @abstractmethod
    def publish_raw(self, head: int) -> int:
        """Make a head available, be it right or wrong; return the new `avail_idx`."""

    @abstractmethod
    def write_descriptor(
        self, index: int, address: int, length: int, flags: int, following: int
    ) -> None:
        """Write descriptor `index` of the ring, also if it is in use.

        Raises:
            ValueError: the ring has no such descriptor.
        """

    @abstractmethod
    def needs_kick(self) -> bool:
        """Return whether the chains published since the last check require a kick."""

    @abstractmethod
    def wrong_flags(self) -> int:
        """Return the flags of the device area if they are not what a device may write; else 0."""

    @abstractmethod
    def get_used(self) -> tuple[int, int] | None:
        """Take the next used entry as (id, bytes written), or None.

        Both values are the device's and not checked. A wrong device can show many entries, so the
        caller limits the number of calls.
        """

    def span(self, head: int) -> int:
        """Return how many descriptors of a packed ring a chain takes; 0 in a split ring."""
        return 0

    def returned(self) -> Sequence[slice]:
        """Return the shared memory that the device may have written since the last call."""
        return ()

    @abstractmethod
    def release(self, head: int) -> bool:
        """Free the chain of `head`; False if there is none outstanding (a foreign used entry)."""

    @abstractmethod
    def set_used_event(self, ahead: int) -> int:
        """Ask for a call at the used entry that is `ahead` after the next one; return its place.

        A negative number is an entry that has passed: its call comes after all others.
        """

    @abstractmethod
    def set_no_interrupt(self, on: bool) -> None:
        """Suppress all calls, or allow them again."""


class DeviceQueue:
    """One queue as the device sees it.

    `ready`: set up, and not reset since. `last_avail`, `used_idx`: u16, chains taken and returned.
    `inuse`: u32, chains taken and not yet returned. `notification`: the device has asked for kicks.
    `signalled_used`: u16, `used_idx` at the last `should_call`. `span`: descriptors of a packed
    ring that the chain taken last takes; 0 in a split ring, where a chain has one entry.
    """

    __slots__ = (
        "index",
        "inuse",
        "last_avail",
        "memory",
        "notification",
        "ready",
        "signalled_used",
        "span",
        "used_idx",
    )

    memory: GuestMemory
    index: int
    ready: bool
    last_avail: int
    used_idx: int
    inuse: int
    notification: bool
    signalled_used: int
    span: int

    @abstractmethod
    def reset(self) -> None:
        """Go back to the power-on state; guest memory stays unchanged (2.4)."""

    @abstractmethod
    def begin_at(self, index: int) -> None:
        """Begin at position `index` (u16), as after a migration or SET_VRING_BASE."""

    def progress(self) -> Progress | None:
        """Return what a save needs beside `last_avail`; None: the ring in memory has it."""
        return None

    @abstractmethod
    def go_on_at(self, last_avail: int, progress: Progress | None = None) -> None:
        """Go on with rings that another device has used up to `last_avail` (QEMU: virtio_load).

        What it had taken and not returned is in use. The next push calls the driver: when that was
        last called is not known.
        """

    @abstractmethod
    def empty(self) -> bool:
        """Return whether no chain is available. True when not ready."""

    @abstractmethod
    def pop(self) -> Chain | None:
        """Take the next chain, or None if there is none.

        Raises:
            RingError: the ring or the chain breaks a rule; the device is broken.
        """

    @abstractmethod
    def push(self, head: int, length: int) -> bool:
        """Return chain `head` as used, `length` bytes written.

        A queue that is not ready ignores the call and returns False. The head is not checked: a
        wrong one is a bug of the device.
        """

    @abstractmethod
    def detach(self) -> None:
        """Drop a chain from `inuse` without returning it (QEMU: virtqueue_detach_element)."""

    @abstractmethod
    def set_notification(self, on: bool) -> None:
        """Ask the driver for kicks, or suppress them.

        `on` ends with a barrier, so that the driver sees the request before the caller reads the
        ring again.
        """

    @abstractmethod
    def would_be_kicked(self) -> bool:
        """Return whether a driver that reads the ring now would kick for the next entry.

        This is read from the ring, not from `notification`. True when not ready.
        """

    @abstractmethod
    def asks_for_kicks(self) -> bool:
        """Return whether the ring asks for the kick of an available entry or of the next.

        Unlike `would_be_kicked` it allows for entries that are still to be taken: a device that
        begins to wait for kicks checks the ring once more. True when not ready.
        """

    @abstractmethod
    def should_call(self) -> bool:
        """Return whether the pushes since the last check require an interrupt.

        Check once per batch of pushes. False when not ready.
        """
