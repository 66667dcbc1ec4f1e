"""Revision `qemu-10.2`: QEMU of December 2025, the newest revision of the model.

It differs from the reference in this:

* stop does not detach when drained, and reads each notifier once more before it closes it, so a
  reset, a VM stop or an unplug inside a drained section dequeues requests (B1, open);
* a VM stop leaves parked requests in neither ring nor retry list; they run if their drain ends
  while the VM is stopped (B1c);
* the config generation changes with the interrupt, not with the capacity, and never without
  DRIVER_OK;
* reset, unplug and queue reset leave parked requests alone (B1b); queue reset also leaves those in
  flight alone, because virtio-blk has no queue_reset hook (B38);
* a drain does not wait for a handler that has popped but not yet submitted (B3);
* after a failed start, drains still attach and detach, and only later kicks are served (B13);
* a parked request goes on in the thread that popped it, even if another thread now handles its
  queue (B1b);
* a woken request is in flight at once (8eeaa706ba), so the next drain waits for it; but it is not
  parked again and is submitted inside that drain;
* the cache mode that the driver has set is not saved (virtio_blk_save_device).

Each older revision derives from the next newer one and takes a fix back; see `qemu_9_0`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final

from vblkfuzz.dataplane.block_backend import BlockBackend
from vblkfuzz.dataplane.registers import CAPACITY, GENERATION
from vblkfuzz.dataplane.thread import POINT, Steps, Thread, causal
from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.trace.event import Frame
from vblkfuzz.trace.kinds import UNPARK
from vblkfuzz.virtio.layout import STATUS_DRIVER_OK
from vblkfuzz.virtio.request.blk import F_FLUSH

if TYPE_CHECKING:
    from vblkfuzz.dataplane.aio import AioContext, BottomHalf
    from vblkfuzz.dataplane.queue_port import QueuePort
    from vblkfuzz.dataplane.request import Request
    from vblkfuzz.dataplane.saved_state import SavedState


_B1: Final = "open: stop in a drain reads the notifiers as it closes them (B1)"
_B1B: Final = "open: requests outlive reset, unplug (parked: B1b) or queue reset (in flight: B38)"
_B1C: Final = "open: parked requests are not saved, and run while the VM is stopped (B1c)"
_GENERATION: Final = "open: the config generation changes with the interrupt, after the capacity"
_B3: Final = "open: a drain does not wait for a handler that has not submitted yet (B3)"
_B13: Final = "open: after a failed start, drains attach and kicks stay suppressed (B13)"
_MODE: Final = "open: the cache mode that the driver has set is not in the saved state"
_STAYS: Final = "open: parked requests go on in the popping thread, even after a stop (B1b)"


_HANDLED: Final = (
    "",
    "stop_bh-host_notifier_read-",
    "reset-stop-cleanup_host_notifier-host_notifier_read-",
    "vm_stop-stop-cleanup_host_notifier-host_notifier_read-",
    "replug-stop-cleanup_host_notifier-host_notifier_read-",
)
"""Causal paths on which a queue with a wrong count of requests in use is found broken."""


class Qemu102BlockBackend(BlockBackend):
    """BlockBackend of 10.2."""

    @causal(Frame.SET_AIO_CONTEXT)
    def set_aio_context(self, thread: Thread, context: AioContext) -> Steps:
        """Drain all nodes even if the context stays the same (10.1, series of a1ea8eb591).

        The model has one node.
        """
        yield from self.drained_begin(thread, poll=True)
        self.context = context
        yield from self.drained_end(thread)

    def _wake(self, request: Request) -> None:
        """Count a woken request as in flight at once (8eeaa706ba), and do not park it again.

        It is a coroutine in QEMU, so it goes on in the thread in which it was parked.
        """
        self.in_flight += 1

        def resume(runner: Thread) -> Steps:
            yield POINT
            self._trace(UNPARK, runner, request)
            self._start(runner, request)

        request.context.schedule(resume)


class Qemu102(VirtioBlk):
    """virtio-blk of QEMU 10.2."""

    summary: ClassVar[str] = "QEMU 10.2: a reset inside a drained section still dequeues"
    source: ClassVar[str] = "QEMU 10.2, ece408818d"
    block_backend: ClassVar[type[BlockBackend]] = Qemu102BlockBackend
    known: ClassVar[dict[str, str]] = {
        "s1-reset-stop-cleanup_host_notifier": _B1,
        "s1-vm_stop-stop-cleanup_host_notifier": _B1,
        "s1-replug-stop-cleanup_host_notifier": _B1,
        "s4-parked-submit": _B1B,
        "s6-not_popped": _B1B,
        "s6-foreign": _B1B,
        "s7-in_use_negative": _B1B,
        "s7-used_idx": _B1C,  # packed rings only: a split one has the index in guest memory
        **{f"s7-{path}broken": _B1B for path in _HANDLED},
        "s7-reset-left_in_use": _B1B,
        "s7-replug-left_in_use": _B1B,
        "s14-": _B1B,
        "s15-generation": _GENERATION,
        "s16-vm_stop-nowhere": _B1C,
        "s16-vm_stop-ended": _B1B,
        "s17-": _B1C,
        "s34-request": _B1C,
        "s34-available-failed_start": _B13,
        "s35-": _B1C,
        "l3-left_behind": _B1C,
        "s21-changed": _B1B,
        "s22-": _B1B,
        "s23-unwritten": _B1B,
        "s24-": _B1B,
        "s21-no_status": _B1B,
        "s29": _B1B,
        "s30-": _B1B,
        "s31-restored": _MODE,
        "s37-": _B1B,
        "s2": "8eeaa706ba: a woken request is counted, but not parked again",
        "s3-": _B3,
        "s8-drained_end-not_started": _B13,
        "s8-stop-left_attached": _B13,
        "s1-host_notifier_read": _B13,
        "s1-poll": _B13,
        "l1-failed_start": _B13,
        "l1-attached_again": _B13,
        "s9-drained_end-closed": _B13,
        "s9-cleanup_host_notifier-attached": _B13,
        "s10-beside": _STAYS,
        "s10-complete-beside": _STAYS,
        "s10-not_started": _STAYS,
        "s10-direct_kick-beside": _B13,
        "s10-host_notifier_read-beside": _B3,
        "s10-host_notifier_read-not_started": _B3,
        "s12-": _B3,
    }

    def stop_dataplane(self, thread: Thread) -> Steps:
        """Detach unless drained, close the notifiers, then drain (75dcb4d790)."""
        if not self.blk.in_drain:
            yield from self.detach_in_contexts(thread)
        yield from self.release_notifiers(thread, self.ports)
        self.started = False
        yield from self.blk.drain(thread)
        yield from self.blk.set_aio_context(thread, self.main)

    def detach_in_contexts(self, thread: Thread) -> Steps:
        """Run one bottom half for each queue in turn (virtio_blk_ioeventfd_stop_vq_bh, 9.0)."""
        for port in self.ports:
            yield from self.main.wait_for(thread, self.context_of(port), self._stop_of(port))

    def _stop_of(self, port: QueuePort) -> BottomHalf:
        return lambda runner: self.stop_queue(runner, port)

    @causal(Frame.STOP_BH)
    def stop_queue(self, thread: Thread, port: QueuePort) -> Steps:
        """Detach, then process the queue one last time (bd58ab40c3)."""
        yield from self.detach(thread, port)
        yield POINT
        yield from port.read(thread)

    @causal(Frame.CLEANUP_HOST_NOTIFIER)
    def cleanup_host_notifier(self, thread: Thread, port: QueuePort) -> Steps:
        """Read the notifier before closing it (virtio_bus_cleanup_host_notifier): B1."""
        yield POINT
        yield from port.read(thread)
        port.close_notifier(thread)

    def fall_back(self, thread: Thread) -> Steps:
        """Do nothing: only later kicks are served."""
        yield from ()

    @causal(Frame.DRAINED_BEGIN)
    def drained_begin(self, thread: Thread) -> Steps:
        """Detach all queues, even if the dataplane is disabled."""
        if self.started:
            for port in self.ports:
                yield from self.detach(thread, port)

    @causal(Frame.DRAINED_END)
    def drained_end(self, thread: Thread) -> Steps:
        """Attach all queues, even if the dataplane is disabled."""
        if self.started:
            yield from self.attach_all(thread)

    def drained_poll(self) -> bool:
        """Return False: virtio-blk has no drained_poll (B3)."""
        return False

    def vm_drained(self, thread: Thread) -> None:
        """Leave parked requests parked; they run when their drain ends (B1c)."""

    def set_capacity(self, sectors: int) -> None:
        """Change the capacity only; the generation changes in `notify_config`."""
        self.board.registers.words[CAPACITY] = sectors

    def notify_config(self, thread: Thread) -> None:
        """Change the generation and interrupt the driver (virtio_notify_config)."""
        if self.status & STATUS_DRIVER_OK:
            self.board.registers.words[GENERATION] += 1
        super().notify_config(thread)

    def load_state(self, thread: Thread, state: SavedState) -> None:
        """Take over all but the cache mode, which is as after the negotiation of features."""
        has_cache = bool(state.features >> F_FLUSH & 1)
        super().load_state(thread, replace(state, writeback=has_cache))

    def drop_requests(self, thread: Thread) -> Steps:
        """Wait for requests in flight and clear the retry list; parked requests stay."""
        yield from self.blk.drain(thread)
        for request in self.retry_list:
            self.cancel(thread, request)
        self.retry_list.clear()

    def reset_queue(self, thread: Thread, port: QueuePort) -> Steps:
        """Reset the ring only: virtio-blk has no queue_reset hook (B38)."""
        yield POINT
        self.forget_queue(thread, port)
