"""Defects of save and restore: what is missing in the state, or what the old device still does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from vblkfuzz.dataplane.defects.defect import Defect
from vblkfuzz.dataplane.operator import Operator
from vblkfuzz.dataplane.virtio_blk import VirtioBlk

if TYPE_CHECKING:
    from vblkfuzz.dataplane.queue_port import QueuePort
    from vblkfuzz.dataplane.saved_state import SavedQueue, SavedState
    from vblkfuzz.dataplane.thread import Steps, Thread

_AT_POWER_ON: Final = 1
"""Config generation after power-on, at which the capacity is set."""


class _RetryListNotSaved(VirtioBlk):
    def save_state(self) -> SavedState:
        return replace(super().save_state(), requests=())


class _ParkedNotInState(VirtioBlk):
    def save_state(self) -> SavedState:
        state = super().save_state()
        failed = {request.serial for request in self.retry_list if request.result}
        kept = [request for request in state.requests if request.serial in failed]
        return replace(state, requests=tuple(kept))


class _Restored(VirtioBlk):
    restored = False
    """Whether the state was loaded, and the VM has not run since."""

    def load_state(self, thread: Thread, state: SavedState) -> None:
        super().load_state(thread, state)
        self.restored = True

    def vm_continued(self, thread: Thread) -> Steps:
        yield from super().vm_continued(thread)
        self.restored = False


class _RestoredWaitsForKick(_Restored):
    def restart_requests(self) -> None:
        if not self.restored:
            super().restart_requests()

    def handle_queue(self, thread: Thread, port: QueuePort) -> Steps:
        self.restart_requests()
        yield from super().handle_queue(thread, port)


class _RestoredNotLookedAt(_Restored):
    def attach(self, thread: Thread, port: QueuePort) -> Steps:
        yield from super().attach(thread, port)
        if self.restored:
            port.notifier.clear()


class _PendingCallLost(VirtioBlk):
    def save_state(self) -> SavedState:
        return replace(super().save_state(), calls=())


class _CacheModeNotSaved(VirtioBlk):
    def load_state(self, thread: Thread, state: SavedState) -> None:
        super().load_state(thread, replace(state, writeback=True))


class _GenerationNotSaved(VirtioBlk):
    def load_state(self, thread: Thread, state: SavedState) -> None:
        super().load_state(thread, replace(state, generation=_AT_POWER_ON))


class _SavedAtUsedIdx(VirtioBlk):
    def save_queue(self, port: QueuePort) -> SavedQueue:
        return replace(super().save_queue(port), last_avail=port.queue.used_idx)


class _FlushAfterSave(Operator):
    def save(self, thread: Thread, *_: int) -> Steps:
        saved = self._saved is not None
        yield from super().save(thread)
        if not saved:
            self.flush_all(thread)


class _SourceRetries(VirtioBlk):
    def save_state(self) -> SavedState:
        state = super().save_state()
        self.restart_requests()
        return state


FAMILY: Final = (
    Defect(
        "retry_list_not_saved",
        2026,
        "vblkfuzz",
        "The saved state has no requests, so those that wait for cont never end.",
        ("L3", "S34"),
        (_RetryListNotSaved,),
    ),
    Defect(
        "parked_not_in_state",
        2026,
        "vblkfuzz",
        "The saved state has the failed requests, but not those that were parked.",
        ("L3", "S34"),
        (_ParkedNotInState,),
    ),
    Defect(
        "restored_waits_for_kick",
        2026,
        "vblkfuzz",
        "A restored device submits the saved requests when a queue is kicked, not when it begins.",
        ("S34",),
        (_RestoredWaitsForKick,),
    ),
    Defect(
        "restored_not_looked_at",
        2026,
        "cloud-hypervisor commit 3e3008f36",
        "A restored device waits for a kick, although the queue has had entries since the save.",
        ("S34",),
        (_RestoredNotLookedAt,),
    ),
    Defect(
        "pending_call_lost",
        2026,
        "vblkfuzz",
        "A call that the guest has not taken when the VM is saved is not made again.",
        ("S34", "S36"),
        (_PendingCallLost,),
    ),
    Defect(
        "cache_mode_not_saved",
        2026,
        "QEMU virtio_blk_save_device",
        "The cache mode that the driver has set is not in the saved state.",
        ("S31",),
        (_CacheModeNotSaved,),
    ),
    Defect(
        "generation_not_saved",
        2026,
        "QEMU vmstate_virtio",
        "A restored device counts its configuration generation from the beginning.",
        ("S15",),
        (_GenerationNotSaved,),
    ),
    Defect(
        "saved_at_used_idx",
        2018,
        "DPDK commit 90bb22a197",
        "The saved queue begins at its used idx, so saved requests are dequeued again.",
        ("S6", "S7"),
        (_SavedAtUsedIdx,),
    ),
    Defect(
        "flush_after_save",
        2026,
        "QEMU migration_completion, bdrv_inactivate_all",
        "The disk is flushed again after it was given away.",
        ("S35",),
        (_FlushAfterSave,),
    ),
    Defect(
        "source_retries",
        2026,
        "vblkfuzz",
        "The device that was saved submits the saved requests, too.",
        ("S17", "S35", "S5", "S6", "S7"),
        (_SourceRetries,),
    ),
)
