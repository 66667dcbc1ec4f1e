"""The device's end of a split virtqueue, with the behaviour of QEMU's.

`pop` takes the next available chain, `push` returns one in the used ring, `should_call` returns
whether an interrupt is due, `set_notification` asks for kicks or suppresses them. The counters
`last_avail`, `used_idx` and `inuse` are kept here, not in guest memory. They are not protected
against a buggy device: a stale push makes `inuse` underflow, which is what oracles look for.

Next: `chain` for what `pop` returns, `driver_queue` for the other end.
"""

from __future__ import annotations

from typing import Final

from vblkfuzz.virtio.chain import Chain, walk_chain
from vblkfuzz.virtio.layout import (
    AVAIL_F_NO_INTERRUPT,
    USED_F_NO_NOTIFY,
    RingLayout,
    vring_need_event,
)
from vblkfuzz.virtio.memory import GuestMemory
from vblkfuzz.virtio.queue import DeviceQueue as AnyDeviceQueue
from vblkfuzz.virtio.queue import Progress
from vblkfuzz.virtio.ring_error import AvailIdxJump, QueueSizeExceeded

U16 = 0xFFFF
U32 = 0xFFFF_FFFF

_NOWHERE: Final = RingLayout(0, 0, 0, 0)


class DeviceQueue(AnyDeviceQueue):
    """One queue with a split ring as the device sees it.

    `ready`: set up, and not reset since. `last_avail`, `used_idx`: u16, entries taken and
    returned since reset. `inuse`: u32, chains taken and not yet returned. `notification`: the
    device has asked for kicks. `signalled_used`: u16, used idx at the last `should_call`.
    """

    __slots__ = (
        "_avail_event",
        "_avail_idx",
        "_avail_ring",
        "_event_idx",
        "_indirect",
        "_signalled_valid",
        "_u16",
        "_u32",
        "_used_idx",
        "_used_ring",
        "layout",
        "size",
    )

    def __init__(self, memory: GuestMemory, index: int) -> None:
        """Create queue number `index`, in the state after a reset."""
        self.memory = memory
        self.index = index
        self._u16 = memory.u16
        self._u32 = memory.u32
        self.reset()

    def reset(self) -> None:
        """Go back to the power-on state; guest memory stays unchanged (2.4)."""
        self.ready = False
        self.layout = _NOWHERE
        self.size = 0
        self._event_idx = False
        self._indirect = False
        self.last_avail = 0
        self.used_idx = 0
        self.inuse = 0
        self.notification = True
        self.signalled_used = 0
        self._signalled_valid = False
        self.span = 0

    def set_up(self, layout: RingLayout, *, event_idx: bool, indirect: bool) -> None:
        """Use the ring at `layout`, with these negotiated features (4.1.5.1.3).

        Counters keep their values: only `reset` clears them.

        Raises:
            RingError: size, alignment or address of the ring is wrong; the queue is unchanged.
        """
        layout.check(self.memory.size)
        self._place(layout)
        self._event_idx = event_idx
        self._indirect = indirect
        self.ready = True

    def begin_at(self, index: int) -> None:
        """Begin at ring index `index` (u16), as after a migration or SET_VRING_BASE."""
        self.last_avail = self.used_idx = self.signalled_used = index

    def go_on_at(self, last_avail: int, progress: Progress | None = None) -> None:
        """Go on with rings that another device has used up to `last_avail` (QEMU: virtio_load).

        What it had taken and not returned is in use. The next push calls the driver: when that was
        last called is not known.
        """
        self.last_avail = last_avail
        self.used_idx = self.signalled_used = self._u16[self._used_idx]
        self.inuse = (last_avail - self.used_idx) & U16

    def _place(self, layout: RingLayout) -> None:
        """Convert addresses to indices of the u16 and u32 views, for one access per field."""
        self.layout = layout
        self.size = layout.size
        self._avail_idx = layout.avail_idx >> 1
        self._avail_ring = layout.avail_ring(0) >> 1
        self._avail_event = layout.avail_event >> 1
        self._used_idx = layout.used_idx >> 1
        self._used_ring = layout.used_ring(0) >> 2

    def avail_idx(self) -> int:
        """Return the avail idx that is in memory now; 0 when not ready."""
        return self._u16[self._avail_idx] if self.ready else 0

    def empty(self) -> bool:
        """Return whether no chain is available. True when not ready."""
        return not self.ready or self._u16[self._avail_idx] == self.last_avail

    def get_head(self, index: int) -> int:
        """Return the head in the avail ring at ring index `index` (QEMU: virtqueue_get_head)."""
        return self._u16[self._avail_ring + (index & (self.size - 1))]

    def pop(self) -> Chain | None:
        """Take the next chain, or None if there is none (QEMU: virtqueue_split_pop).

        With EVENT_IDX and `notification` it also asks for a kick at the next entry (2.7.10.1).

        Raises:
            RingError: the ring or the chain breaks a rule; the device is broken.
        """
        if not self.ready:
            return None
        u16, last, size = self._u16, self.last_avail, self.size
        available = (u16[self._avail_idx] - last) & U16
        if not available:
            return None
        if self.inuse >= size:
            raise QueueSizeExceeded(f"queue {self.index}: {self.inuse} in use, size {size}")
        if available > size:
            raise AvailIdxJump(f"queue {self.index}: {available} available, size {size}")
        head = self.get_head(last)
        self.last_avail = last = (last + 1) & U16
        # As in QEMU, the head is checked before the kick is requested, the descriptors after it.
        if self._event_idx and self.notification and head < size:
            u16[self._avail_event] = last
        chain = walk_chain(self.memory, self.layout, head, self._indirect)
        self.inuse = (self.inuse + 1) & U32
        return chain

    def push(self, head: int, length: int) -> bool:
        """Return chain `head` as used, `length` bytes written (2.7.8.2).

        A queue that is not ready ignores the call and returns False (QEMU: virtqueue_split_fill
        and _flush). The head is not checked: a wrong one is a bug of the device.
        """
        if not self.ready:
            return False
        used_idx = self.used_idx
        entry = self._used_ring + 2 * (used_idx & (self.size - 1))
        self._u32[entry] = head
        self._u32[entry + 1] = length
        self.used_idx = used_idx = (used_idx + 1) & U16
        # The index comes last: it makes the entry visible to the driver.
        self._u16[self._used_idx] = used_idx
        self.inuse = (self.inuse - 1) & U32
        # After 2**15 pushes without a call, the distance to the last call is ambiguous.
        if (used_idx - self.signalled_used - 1) & U16 >= 0x7FFF:
            self._signalled_valid = False
        return True

    def detach(self) -> None:
        """Drop a chain from `inuse` without returning it (QEMU: virtqueue_detach_element)."""
        self.inuse = (self.inuse - 1) & U32

    def set_notification(self, on: bool) -> None:
        """Ask the driver for kicks, or suppress them (2.7.10).

        With EVENT_IDX, `on` writes avail_event and off writes nothing: avail_event becomes stale.
        Without EVENT_IDX, the flag in the used ring is written (QEMU:
        virtio_queue_split_set_notification). `on` ends with a barrier, so that the driver sees
        the request before the caller reads the ring again.
        """
        self.notification = on
        if not self.ready:
            return
        if not self._event_idx:
            flags = self._used_idx - 1
            if on:
                self._u16[flags] &= ~USED_F_NO_NOTIFY & U16
            else:
                self._u16[flags] |= USED_F_NO_NOTIFY
        elif on:
            self._u16[self._avail_event] = self._u16[self._avail_idx]
        if on:
            self.memory.barrier()

    def would_be_kicked(self) -> bool:
        """Return whether a driver that reads the ring now would kick for the next entry (2.7.10).

        This is read from the ring, not from `notification`. True when not ready.
        """
        if not self.ready:
            return True
        if not self._event_idx:
            return not self._u16[self._used_idx - 1] & USED_F_NO_NOTIFY
        return self._u16[self._avail_event] == self.last_avail

    def asks_for_kicks(self) -> bool:
        """Return whether the ring asks for the kick of an available entry or of the next (2.7.10).

        Unlike `would_be_kicked` it allows for entries that are still to be taken: a device that
        begins to wait for kicks checks the ring once more. True when not ready.
        """
        if not self.ready:
            return True
        if not self._event_idx:
            return not self._u16[self._used_idx - 1] & USED_F_NO_NOTIFY
        ahead = (self._u16[self._avail_event] - self.last_avail) & U16
        return ahead <= (self._u16[self._avail_idx] - self.last_avail) & U16

    def should_call(self) -> bool:
        """Return whether the pushes since the last check require an interrupt (2.7.7).

        With EVENT_IDX each check updates `signalled_used`, so check once per batch of pushes
        (QEMU: virtio_split_should_notify). False when not ready.
        """
        if not self.ready:
            return False
        self.memory.barrier()  # the driver sees the used entries before its request is read
        if not self._event_idx:
            return not self._u16[self._avail_idx - 1] & AVAIL_F_NO_INTERRUPT
        old, valid = self.signalled_used, self._signalled_valid
        new = self.signalled_used = self.used_idx
        self._signalled_valid = True
        return not valid or vring_need_event(self._u16[self._avail_ring + self.size], new, old)
