"""Defects of calls: interrupts that the driver waits for and does not get, or gets too late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.dataplane.defects.defect import Defect
from vblkfuzz.dataplane.queue_port import QueuePort
from vblkfuzz.dataplane.thread import POINT, Steps
from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.virtio.layout import vring_need_event
from vblkfuzz.virtio.split.device_queue import U16, DeviceQueue

if TYPE_CHECKING:
    from vblkfuzz.dataplane.thread import Thread
    from vblkfuzz.virtio.chain import Chain


class _CheckBeforePublish(DeviceQueue):
    __slots__ = ("_used_event",)

    def reset(self) -> None:
        super().reset()
        self._used_event = 0

    def pop(self) -> Chain | None:
        if self.ready:
            self._used_event = self.memory.u16[self.layout.used_event >> 1]
        return super().pop()

    def should_call(self) -> bool:
        if not (self.ready and self._event_idx):
            return super().should_call()
        return self._used_event == (self.used_idx - 1) & U16


class _SignalledUsedWrong(DeviceQueue):
    __slots__ = ()

    def should_call(self) -> bool:
        if not (self.ready and self._event_idx):
            return super().should_call()
        old, self.signalled_used = self.signalled_used, self.last_avail
        used_event = self.memory.u16[self.layout.used_event >> 1]
        return vring_need_event(used_event, self.used_idx, old)


class _CallLostInStop(QueuePort):
    __slots__ = ()

    def call(self, thread: Thread) -> None:
        if not self._device.stopping:
            super().call(thread)


class _FirstCallLost(QueuePort):
    __slots__ = ()

    def call(self, thread: Thread) -> None:
        """Without EVENT_IDX `signalled_used` stays what it was when the ring was set up."""
        if self.queue.used_idx != self.queue.signalled_used + 1 & U16:
            super().call(thread)


class _CallNotRaised(QueuePort):
    __slots__ = ()

    def call(self, thread: Thread) -> None:
        """The call that is told of is undone at once, as if the line had never been raised."""
        super().call(thread)
        self._board.calls[self.index].clear()


class _CalledByReset(VirtioBlk):
    def reset_queue(self, thread: Thread, port: QueuePort) -> Steps:
        yield from super().reset_queue(thread, port)
        yield POINT
        self.board.calls[port.index].set()


class _PutOff(QueuePort):
    """Calls from a bottom half, so that one tells of several pushes."""

    __slots__ = ()

    def call(self, thread: Thread) -> None:
        device = self._device
        assert isinstance(device, _CallOutlivesReset)
        device.put_off(thread, self)

    def call_now(self, thread: Thread) -> None:
        super().call(thread)


class _CallOutlivesReset(VirtioBlk):
    _waiting: tuple[_PutOff, ...] = ()
    """Queues whose call has been put off."""

    def put_off(self, thread: Thread, port: _PutOff) -> None:
        if port not in self._waiting:
            self._waiting = (*self._waiting, port)
            self.completion_context(thread).schedule(lambda runner: self._late(runner, port))

    def _late(self, thread: Thread, port: _PutOff) -> Steps:
        yield POINT
        if port in self._waiting:
            self._waiting = tuple(other for other in self._waiting if other is not port)
            port.call_now(thread)

    def vm_drained(self, thread: Thread) -> None:
        """A stop makes the calls that wait; a reset leaves them."""
        waiting, self._waiting = self._waiting, ()
        for port in waiting:
            port.call_now(thread)
        super().vm_drained(thread)


FAMILY: Final = (
    Defect(
        "irq_check_before_publish",
        2023,
        "SPDK commit df8d361f6c",
        "The driver's used_event is read when a request is popped, not after it is pushed.",
        ("L4",),
        (_CheckBeforePublish,),
    ),
    Defect(
        "signalled_used_wrong",
        2024,
        "crosvm commit 078ef31b7",
        "The index of the last call is saved from last_avail, so calls that are due are left out.",
        ("L4",),
        (_SignalledUsedWrong,),
    ),
    Defect(
        "call_lost_in_stop",
        2018,
        "SPDK commit 29181903ce",
        "A push while the device stops makes no call, and no later call replaces it.",
        ("L4",),
        (_CallLostInStop,),
    ),
    Defect(
        "first_call_lost",
        2026,
        "vblkfuzz",
        "Without EVENT_IDX the call for the first entry of a ring is lost; the later ones arrive.",
        ("L4",),
        (_FirstCallLost,),
    ),
    Defect(
        "call_not_raised",
        2026,
        "vblkfuzz",
        "The device notes that it has called, but the driver's interrupt is not raised.",
        ("S36",),
        (_CallNotRaised,),
    ),
    Defect(
        "called_by_reset",
        2026,
        "vblkfuzz",
        "The reset of a queue raises its interrupt.",
        ("S36",),
        (_CalledByReset,),
    ),
    Defect(
        "call_outlives_reset",
        2017,
        "QEMU commit ebb6ff25cd",
        "Calls come from a bottom half, which a reset neither runs nor cancels.",
        ("S19",),
        (_PutOff, _CallOutlivesReset),
    ),
)
