"""Defects of status, queue_enable and offered features: they do not read as they should."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.dataplane.defects.defect import Defect
from vblkfuzz.dataplane.registers import ENABLED, STATUS
from vblkfuzz.dataplane.thread import Steps, Thread, causal
from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.trace.event import Frame
from vblkfuzz.virtio.layout import F_VERSION_1, STATUS_DRIVER_OK, STATUS_NEEDS_RESET
from vblkfuzz.virtio.request.blk import F_FLUSH

if TYPE_CHECKING:
    from vblkfuzz.dataplane.queue_port import QueuePort


class _NeedsResetKept(VirtioBlk):
    @causal(Frame.RESET)
    def reset(self, thread: Thread, *, system: bool = False) -> Steps:
        words = self.board.registers.words
        kept = words[STATUS] & STATUS_NEEDS_RESET
        yield from super().reset(thread, system=system)
        words[STATUS] |= kept


class _StatusRestored(VirtioBlk):
    _saved = 0

    @causal(Frame.DRAINED_BEGIN)
    def drained_begin(self, thread: Thread) -> Steps:
        self._saved = self.status
        yield from super().drained_begin(thread)

    @causal(Frame.DRAINED_END)
    def drained_end(self, thread: Thread) -> Steps:
        self._set_status(self._saved)
        yield from super().drained_end(thread)


class _DriverOkLost(VirtioBlk):
    def vm_stopped(self, thread: Thread) -> Steps:
        yield from super().vm_stopped(thread)
        self.board.registers.words[STATUS] &= ~STATUS_DRIVER_OK


class _QueueEnableKept(VirtioBlk):
    def forget_queue(self, thread: Thread, port: QueuePort) -> None:
        super().forget_queue(thread, port)
        self.board.registers.set_queue(port.index, ENABLED, 1)


class _OthersDisabled(VirtioBlk):
    def forget_queue(self, thread: Thread, port: QueuePort) -> None:
        super().forget_queue(thread, port)
        for other in self.ports:
            self.board.registers.set_queue(other.index, ENABLED, 0)


class _OfferNarrowed(VirtioBlk):
    @causal(Frame.RESET)
    def reset(self, thread: Thread, *, system: bool = False) -> Steps:
        accepted = self.features
        yield from super().reset(thread, system=system)
        if accepted:
            self.board.registers.offered &= accepted


class _Version1NotOffered(VirtioBlk):
    def host_features(self) -> int:
        return super().host_features() & ~(1 << F_VERSION_1)


class _ConfigWceWithoutFlush(VirtioBlk):
    def host_features(self) -> int:
        return super().host_features() & ~(1 << F_FLUSH)


FAMILY: Final = (
    Defect(
        "needs_reset_kept",
        2026,
        "vblkfuzz",
        "DEVICE_NEEDS_RESET outlives the reset that it asked for.",
        ("S25",),
        (_NeedsResetKept,),
    ),
    Defect(
        "status_restored",
        2026,
        "vblkfuzz",
        "The end of a drained section restores the status from before it, whatever has been reset.",
        ("S25",),
        (_StatusRestored,),
    ),
    Defect(
        "driver_ok_lost",
        2026,
        "vblkfuzz",
        "A stop of the VM clears DRIVER_OK in the status that the driver reads later.",
        ("S25",),
        (_DriverOkLost,),
    ),
    Defect(
        "queue_enable_kept",
        2026,
        "vblkfuzz",
        "A queue still reads as enabled after its reset.",
        ("S25",),
        (_QueueEnableKept,),
    ),
    Defect(
        "other_queues_disabled",
        2026,
        "vblkfuzz",
        "After the reset of one queue all queues read as disabled.",
        ("S25",),
        (_OthersDisabled,),
    ),
    Defect(
        "offer_narrowed",
        2026,
        "vblkfuzz",
        "After a reset the device offers only the features that the last driver accepted.",
        ("S25",),
        (_OfferNarrowed,),
    ),
    Defect(
        "version_1_not_offered",
        2026,
        "vblkfuzz",
        "The device does not offer VERSION_1.",
        ("S25",),
        (_Version1NotOffered,),
    ),
    Defect(
        "config_wce_without_flush",
        2026,
        "vblkfuzz",
        "The device offers F_CONFIG_WCE but not F_FLUSH.",
        ("S25",),
        (_ConfigWceWithoutFlush,),
    ),
)
