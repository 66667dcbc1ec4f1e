"""The device's end of a packed virtqueue, with the behaviour of QEMU's.

It does a little more: a used descriptor that tells a length has the flag WRITE (2.8.3, 2.8.4); all
descriptors of a chain must be available, and its id below the queue size; and with EVENT_IDX a
chain taken while kicks are wanted moves the kick that is asked for, as in a split ring.

Next: `chain` for what `pop` returns, `driver_queue` for the other end.
"""

from __future__ import annotations

from typing import Final

from vblkfuzz.virtio.chain import Chain
from vblkfuzz.virtio.layout import DESC_F_WRITE
from vblkfuzz.virtio.memory import GuestMemory
from vblkfuzz.virtio.packed.chain import walk_chain
from vblkfuzz.virtio.packed.layout import (
    DESC_MARKS,
    EVENT_DESC,
    EVENT_DISABLE,
    EVENT_ENABLE,
    RingLayout,
)
from vblkfuzz.virtio.queue import DeviceQueue as AnyDeviceQueue
from vblkfuzz.virtio.queue import Progress
from vblkfuzz.virtio.ring_error import QueueSizeExceeded

U16: Final = 0xFFFF
U32: Final = 0xFFFF_FFFF
_FLAGS: Final = 3
"""Bits of the flags of an event suppression area."""
_NOWHERE: Final = RingLayout(1, 0, 0, 0)


class DeviceQueue(AnyDeviceQueue):
    """One queue with a packed ring as the device sees it."""

    __slots__ = (
        "_avail",
        "_desc",
        "_device_event",
        "_driver_event",
        "_event_idx",
        "_indirect",
        "_lengths",
        "_signalled_valid",
        "_u16",
        "_u32",
        "_unsignalled",
        "_used",
        "layout",
    )

    def __init__(self, memory: GuestMemory, index: int) -> None:
        """Create queue number `index`, in the state after a reset."""
        self.memory = memory
        self.index = index
        self._lengths: dict[int, int] = {}
        """By id: descriptors that its chain takes. They outlive a reset, as QEMU's elements do."""
        self._u16 = memory.u16
        self._u32 = memory.u32
        self.reset()

    def reset(self) -> None:
        """Go back to the power-on state; guest memory stays unchanged (2.4)."""
        self.ready = False
        self.layout = _NOWHERE
        self._desc = self._driver_event = self._device_event = 0
        self._event_idx = False
        self._indirect = False
        self._avail = self._used = 0
        self.last_avail = 0
        self.used_idx = 0
        self.inuse = 0
        self.span = 0
        self.notification = True
        self.signalled_used = 0
        self._unsignalled = 0
        self._signalled_valid = False

    def set_up(self, layout: RingLayout, *, event_idx: bool, indirect: bool) -> None:
        """Use the ring at `layout`, with these negotiated features (4.1.5.1.3).

        Raises:
            RingError: size, alignment or address of the ring is wrong; the queue is unchanged.
        """
        layout.check(self.memory.size)
        self.layout = layout
        self._desc = layout.desc
        self._driver_event = layout.avail >> 1
        self._device_event = layout.used >> 1
        self._event_idx = event_idx
        self._indirect = indirect
        self.ready = True

    def begin_at(self, index: int) -> None:
        """Begin at position `index`: so many descriptors have passed, each a chain."""
        self.last_avail = self.used_idx = self.signalled_used = index
        self._avail = self._used = index % self.layout.places

    def progress(self) -> Progress | None:
        """Return places, wrap counters and chains in use (QEMU: vmstate_packed_virtqueue)."""
        off_wrap = self.layout.off_wrap
        return Progress(
            off_wrap(self._avail), off_wrap(self._used), self.used_idx, tuple(self._lengths.items())
        )

    def go_on_at(self, last_avail: int, progress: Progress | None = None) -> None:
        """Go on where another device has stopped, which has told its `progress`."""
        assert progress is not None, "a packed ring is not loaded without its progress"
        self.last_avail = last_avail
        self._avail = self.layout.place_of(progress.avail)
        self._used = self.layout.place_of(progress.used)
        self.used_idx = self.signalled_used = progress.used_idx
        self.inuse = (last_avail - self.used_idx) & U16
        self._lengths = dict(progress.lengths)

    # --- Chains -----------------------------------------------------------------------------

    def empty(self) -> bool:
        """Return whether no chain is available. True when not ready."""
        return not self.ready or not self._is_available(self._avail)

    def _is_available(self, place: int) -> bool:
        """Return whether the descriptor at a place is available now."""
        layout = self.layout
        flags = self._u16[(self._desc >> 1) + 8 * (place % layout.size) + 7]
        return flags & DESC_MARKS == layout.available(place)

    def pop(self) -> Chain | None:
        """Take the next chain, or None if there is none (QEMU: virtqueue_packed_pop).

        Raises:
            RingError: the ring or the chain breaks a rule; the device is broken.
        """
        if self.empty():
            return None
        if self.inuse >= self.layout.size:
            raise QueueSizeExceeded(f"queue {self.index}: {self.inuse} in use")
        chain, count = walk_chain(self.memory, self.layout, self._avail, self._indirect)
        self._avail = (self._avail + count) % self.layout.places
        self._lengths[chain.head] = self.span = count
        self.last_avail = (self.last_avail + 1) & U16
        self.inuse = (self.inuse + 1) & U32
        if self._event_idx and self.notification:
            self._ask_for_next_kick()
        return chain

    def push(self, head: int, length: int) -> bool:
        """Return chain `head` as used, `length` bytes written (2.8.2; virtqueue_packed_flush).

        A queue that is not ready ignores the call and returns False. The head is not checked: a
        wrong one is a bug of the device.
        """
        if not self.ready:
            return False
        count = self._lengths.get(head, 1)
        at = self._desc + 16 * (self._used % self.layout.size)
        self._u32[(at >> 2) + 2] = length
        self._u16[(at >> 1) + 6] = head
        # The flags come last: they make the descriptor visible to the driver.
        written = DESC_F_WRITE if length else 0
        self._u16[(at >> 1) + 7] = self.layout.used_at(self._used) | written
        self._used = (self._used + count) % self.layout.places
        self._unsignalled += count
        self.used_idx = (self.used_idx + 1) & U16
        self.inuse = (self.inuse - 1) & U32
        return True

    def detach(self) -> None:
        """Drop a chain from `inuse` without returning it (QEMU: virtqueue_detach_element)."""
        self.inuse = (self.inuse - 1) & U32

    # --- Kicks and calls --------------------------------------------------------------------

    def set_notification(self, on: bool) -> None:
        """Ask the driver for kicks, or suppress them (virtio_queue_packed_set_notification)."""
        self.notification = on
        if not self.ready:
            return
        if not on:
            self._u16[self._device_event + 1] = EVENT_DISABLE
            return
        if self._event_idx:
            self._ask_for_next_kick()
        else:
            self._u16[self._device_event + 1] = EVENT_ENABLE
        self.memory.barrier()

    def _ask_for_next_kick(self) -> None:
        """Ask for a kick when the next descriptor becomes available: the offset, then the flag."""
        self._u16[self._device_event] = self.layout.off_wrap(self._avail)
        self._u16[self._device_event + 1] = EVENT_DESC

    def _asked(self, event: int) -> tuple[int, int | None]:
        """Return the flags of an event suppression area, and the place that they are about."""
        flags = self._u16[event + 1] & _FLAGS
        by_place = flags == EVENT_DESC and self._event_idx
        return flags, self.layout.place_of(self._u16[event]) if by_place else None

    def would_be_kicked(self) -> bool:
        """Return whether a driver that reads the ring now would kick for the next entry (2.8.10).

        This is read from the ring, not from `notification`. True when not ready.
        """
        if not self.ready:
            return True
        flags, place = self._asked(self._device_event)
        return flags != EVENT_DISABLE if place is None else place == self._avail

    def asks_for_kicks(self) -> bool:
        """Return whether the ring asks for the kick of an available entry or of the next (2.8.10).

        True when not ready.
        """
        if not self.ready:
            return True
        flags, place = self._asked(self._device_event)
        if place is None:
            return flags != EVENT_DISABLE
        ahead = (place - self._avail) % self.layout.places
        places = [(self._avail + number) % self.layout.places for number in range(ahead)]
        return ahead <= self.layout.size and all(self._is_available(each) for each in places)

    def should_call(self) -> bool:
        """Return whether the pushes since the last check require an interrupt (2.8.10).

        Each check counts those pushes as signalled, so check once per batch of pushes (QEMU:
        virtio_packed_should_notify). False when not ready.
        """
        if not self.ready:
            return False
        self.memory.barrier()  # the driver sees the used entries before its request is read
        passed, self._unsignalled = self._unsignalled, 0
        valid, self._signalled_valid = self._signalled_valid, True
        self.signalled_used = self.used_idx
        flags, place = self._asked(self._driver_event)
        if place is None:
            return flags != EVENT_DISABLE
        return not valid or (self._used - place - 1) % self.layout.places < passed
