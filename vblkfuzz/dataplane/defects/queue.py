"""Defects of queues: lost kicks, event loops that spin, entries pushed twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.dataplane.defects.defect import Defect
from vblkfuzz.dataplane.queue_port import QueuePort
from vblkfuzz.dataplane.thread import Steps, Thread, causal
from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.trace.event import Frame
from vblkfuzz.virtio.layout import USED_F_NO_NOTIFY
from vblkfuzz.virtio.packed.device_queue import DeviceQueue as PackedQueue
from vblkfuzz.virtio.packed.layout import DESC_MARKS
from vblkfuzz.virtio.request.blk import RequestType
from vblkfuzz.virtio.split.device_queue import DeviceQueue

if TYPE_CHECKING:
    from vblkfuzz.dataplane.board import Board
    from vblkfuzz.dataplane.device_state import DeviceState
    from vblkfuzz.dataplane.request import Request


class _EnableNoRecheck(VirtioBlk):
    def look_again(self, port: QueuePort) -> bool:
        return False


class _BrokenNotEmpty(QueuePort):
    __slots__ = ()

    def poll(self) -> bool:
        return not self.queue.empty()


class _ClearAfterHandling(QueuePort):
    __slots__ = ()

    @causal(Frame.HOST_NOTIFIER_READ)
    def read(self, thread: Thread) -> Steps:
        if self.notifier.is_set():
            yield from self._device.handle_output(thread, self)
        self.notifier.clear()


class _NotifyCounter(QueuePort):
    __slots__ = ("_suppressed",)

    def __init__(self, device: DeviceState, board: Board, index: int) -> None:
        super().__init__(device, board, index)
        self._suppressed = 0
        """How many more times kicks were suppressed than enabled."""

    def set_notification(self, thread: Thread, on: bool) -> None:
        self._suppressed += -1 if on else 1
        super().set_notification(thread, self._suppressed <= 0)


class _LaterFirst(DeviceQueue):
    _skipped: int | None = None

    def reset(self) -> None:
        super().reset()
        self._skipped = None

    def get_head(self, index: int) -> int:
        if self._skipped is not None:
            head, self._skipped = self._skipped, None
            return head
        if self.avail_idx() == index + 1 & 0xFFFF:
            return super().get_head(index)
        self._skipped = super().get_head(index)
        return super().get_head(index + 1)


class _PushTwice(VirtioBlk):
    def push(self, thread: Thread, request: Request, length: int) -> None:
        super().push(thread, request, length)
        if request.blk.type == RequestType.FLUSH:
            super().push(thread, request, length)


class _LastEntryLost(DeviceQueue):
    __slots__ = ()

    def push(self, head: int, length: int) -> bool:
        lost = self.used_idx & (self.size - 1) == self.size - 1
        pushed = super().push(head, length)
        if lost and pushed:
            self._u16[self._used_idx] = (self.used_idx - 1) & 0xFFFF
        return pushed


class _LastDescriptorLost(PackedQueue):
    __slots__ = ()

    def push(self, head: int, length: int) -> bool:
        used = self._used
        pushed = super().push(head, length)
        if pushed and self.ready and self._used % self.layout.size < used % self.layout.size:
            at = (self._desc >> 1) + 8 * (used % self.layout.size) + 7
            self._u16[at] ^= DESC_MARKS
        return pushed


class _FlagBesideEventIdx(DeviceQueue):
    __slots__ = ()

    def set_notification(self, on: bool) -> None:
        super().set_notification(on)
        if self.ready and self._event_idx:
            self._u16[self._used_idx - 1] = 0 if on else USED_F_NO_NOTIFY


class _UnknownFlag(DeviceQueue):
    __slots__ = ()

    def set_notification(self, on: bool) -> None:
        super().set_notification(on)
        if self.ready and not self._event_idx:
            self._u16[self._used_idx - 1] |= 2 * USED_F_NO_NOTIFY


FAMILY: Final = (
    Defect(
        "enable_no_recheck",
        2024,
        "QEMU commit f937309fbd (virtio-net)",
        "A handler that enables kicks again does not check whether the ring is still empty.",
        ("L1", "S13"),
        (_EnableNoRecheck,),
    ),
    Defect(
        "broken_not_empty",
        2018,
        "QEMU commit 2d1df85910",
        "The ring of a broken device is not reported empty, so the poll loop spins.",
        ("L5",),
        (_BrokenNotEmpty,),
    ),
    Defect(
        "clear_after_handling",
        2026,
        "vblkfuzz",
        "A notifier is cleared after its queue is handled, so a kick in between is lost.",
        ("L1",),
        (_ClearAfterHandling,),
    ),
    Defect(
        "notify_counter",
        2017,
        "QEMU commits aff8fd18f1, 332fa82d09",
        "Suppressions of kicks are counted, and a reset while polling leaves the count too high.",
        ("L1", "S13"),
        (_NotifyCounter,),
    ),
    Defect(
        "push_twice",
        2026,
        "vblkfuzz",
        "A flush is pushed twice.",
        ("S5", "S6", "S7"),
        (_PushTwice,),
    ),
    Defect(
        "later_first",
        2026,
        "vblkfuzz",
        "Of two entries that are available the later one is taken first.",
        ("S26",),
        (_LaterFirst,),
    ),
    Defect(
        "last_entry_lost",
        2026,
        "vblkfuzz",
        "The used entry before the ring wraps is not shown to the driver until the next one is.",
        ("S52",),
        (_LastEntryLost, _LastDescriptorLost),
    ),
    Defect(
        "flag_beside_event_idx",
        2026,
        "vblkfuzz",
        "Kicks are suppressed by the flag NO_NOTIFY as well when EVENT_IDX is negotiated.",
        ("S32",),
        (_FlagBesideEventIdx,),
    ),
    Defect(
        "unknown_flag",
        2026,
        "vblkfuzz",
        "Without EVENT_IDX a flag that the standard does not know is set beside NO_NOTIFY.",
        ("S32",),
        (_UnknownFlag,),
    ),
)
