"""Defects of calls: interrupts that the driver waits for and does not get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.dataplane.defects.defect import Defect
from vblkfuzz.dataplane.queue_port import QueuePort
from vblkfuzz.virtio.device_queue import U16, DeviceQueue
from vblkfuzz.virtio.layout import vring_need_event

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
)
