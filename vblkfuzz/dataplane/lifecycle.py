"""Life cycle of the device: status, start, stop, reset, drains, VM state.

The control flow follows QEMU (virtio_blk_data_plane_start/stop before 9.0, then
virtio_blk_start/stop_ioeventfd). The methods here are those of the *reference*; each is small
enough to be overridden alone. All of them run in a thread that holds the BQL, except bottom halves.
The state is in `device_state`, the handling of requests in `virtio_blk`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.dataplane.device_state import DeviceState
from vblkfuzz.dataplane.registers import AVAIL, DESC, ENABLED, SIZE, STATUS, USED
from vblkfuzz.dataplane.thread import POINT, Steps, Thread, Wait, causal
from vblkfuzz.dataplane.turns import Turns
from vblkfuzz.trace import kinds
from vblkfuzz.trace.event import Frame
from vblkfuzz.trace.kinds import (
    ATTACH,
    BROKEN,
    CANCEL,
    DETACH,
    QUEUE_RESET,
    RESET_CALL,
    RESET_RET,
    RETRY,
    START_CALL,
    START_RET,
    STOP_CALL,
    STOP_RET,
)
from vblkfuzz.virtio.layout import (
    STATUS_DRIVER_OK,
    STATUS_FEATURES_OK,
    STATUS_NEEDS_RESET,
)
from vblkfuzz.virtio.ring_error import RingError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from vblkfuzz.dataplane.aio import AioContext, BottomHalf
    from vblkfuzz.dataplane.queue_port import QueuePort
    from vblkfuzz.dataplane.request import Request


_UNPLUG: Final = 2
"""Flag of a RESET_CALL."""


class Lifecycle(DeviceState):
    """The transitions of the device."""

    # --- Status -----------------------------------------------------------------------------

    def latch_queues(self, thread: Thread) -> None:
        """Read what the driver has written since the last exit: status bits, then queues."""
        posted = self.board.registers.words[STATUS]
        if posted != self.status:
            self.status = self._accept_features(posted)
        for port in self.ports:
            if not port.queue.ready and self.board.registers.queue(port.index, ENABLED):
                self._set_up(thread, port)

    def _set_up(self, thread: Thread, port: QueuePort) -> None:
        """Use the rings at the addresses in the queue registers."""
        read, index = self.board.registers.queue, port.index
        places = read(index, SIZE), read(index, DESC), read(index, AVAIL), read(index, USED)
        try:
            port.queue = port.rings.set_up(places, self.features)
            port.queue.begin_at(self.config.first_index)
        except RingError as error:
            self.virtio_error(thread, error)

    def write_status(self, thread: Thread, value: int) -> Steps:
        """Handle the driver's write of the device status (virtio_pci_common_write)."""
        self._trace(kinds.STATUS, thread, value=value)
        if value == 0:
            yield from self.reset(thread)
            return
        value = self._accept_features(value)
        if not value & STATUS_DRIVER_OK:
            yield from self.stop_ioeventfd(thread)
        self._set_status(value)
        self.latch_queues(thread)
        if value & STATUS_DRIVER_OK:
            yield from self.start_ioeventfd(thread)

    def _accept_features(self, status: int) -> int:
        """Read the driver's feature bits when it sets FEATURES_OK (2.2).

        Returns `status`, without that bit if the device does not accept the features.
        """
        if status & STATUS_FEATURES_OK and not self.status & STATUS_FEATURES_OK:
            bits = self.board.registers.features
            if not self.accepts_features(bits):
                return status & ~STATUS_FEATURES_OK
            self.set_features(bits)
        return status

    def _set_status(self, value: int) -> None:
        self.status = value
        self.board.registers.words[STATUS] = value

    def virtio_error(self, thread: Thread, error: RingError) -> None:
        """Take no requests until a reset: the driver broke the protocol (virtio_error, 2.1.2)."""
        if self.broken:
            return
        self.broken = True
        self._set_status(self.status | STATUS_NEEDS_RESET)
        self._trace(BROKEN, thread, value=error.code)
        self.notify_config(thread)

    # --- Start and stop ---------------------------------------------------------------------

    @causal(Frame.START)
    def start_ioeventfd(self, thread: Thread) -> Steps:
        """Route kicks to eventfds and handle them in the IOThreads; no effect if started."""
        if not self.config.ioeventfd or self.started or self.starting or self.stopping:
            return
        self._trace(START_CALL, thread)
        self.starting = True
        works = yield from self.assign_notifiers(thread)
        if works:
            yield from self.run_dataplane(thread)
        else:
            self.disabled = self.started = True
            self.starting = False
            yield from self.fall_back(thread)
        self._trace(START_RET, thread, flag=not works)

    def run_dataplane(self, thread: Thread) -> Steps:
        """Move the node, then attach the handlers.

        `started` is set in between: drains attach and detach only when the node has moved.
        """
        yield from self.blk.set_aio_context(thread, self.home)
        self.started = True
        self.starting = False
        if not self.blk.in_drain:
            yield from self.attach_all(thread)

    def fall_back(self, thread: Thread) -> Steps:
        """Serve each queue once after a failed start; kicks exit from now on.

        A kick may have gone to a notifier that is closed now, or may have been suppressed.
        """
        for port in self.ports:
            if not port.queue.notification:
                port.set_notification(thread, True)
            yield from self.handle_output(thread, port)

    def assign_notifiers(self, thread: Thread) -> Generator[Wait | None, None, bool]:
        """Create all host notifiers and route kicks to them.

        Returns whether that worked; if not, all of it has been undone.
        """
        failing, self.start_fails_at = self.start_fails_at, None
        for position, port in enumerate(self.ports):
            yield POINT
            if port.index == failing:
                yield from self.release_notifiers(thread, self.ports[:position])
                return False
            port.open_notifier(thread)
        return True

    def release_notifiers(self, thread: Thread, ports: Iterable[QueuePort]) -> Steps:
        """Route kicks back to exits, then close the notifiers."""
        for port in ports:
            yield POINT
            port.deassign_notifier()
        for port in ports:
            yield from self.cleanup_host_notifier(thread, port)

    @causal(Frame.CLEANUP_HOST_NOTIFIER)
    def cleanup_host_notifier(self, thread: Thread, port: QueuePort) -> Steps:
        """Close one notifier and drop a last kick.

        After a reset there is no request to take, and `cont` kicks each queue.
        """
        yield POINT
        port.close_notifier(thread)

    @causal(Frame.STOP)
    def stop_ioeventfd(self, thread: Thread) -> Steps:
        """Route kicks to VM exits and wait for requests in flight; no effect if not started."""
        if not self.started or self.stopping:
            return
        self._trace(STOP_CALL, thread)
        if self.disabled:
            self.disabled = self.started = False
        else:
            self.stopping = True
            yield from self.stop_dataplane(thread)
            self.stopping = False
        self._trace(STOP_RET, thread)

    def stop_dataplane(self, thread: Thread) -> Steps:
        """Detach, close the notifiers, drain, and move the node to the main loop.

        Detaching runs in the threads of the handlers, so it also waits for running handlers.
        """
        yield from self.detach_in_contexts(thread)
        yield from self.release_notifiers(thread, self.ports)
        self.started = False
        yield from self.blk.drain(thread)
        yield from self.blk.set_aio_context(thread, self.main)

    def detach_in_contexts(self, thread: Thread) -> Steps:
        """Detach each queue in the thread that handles it, and wait."""
        for context in self.contexts():
            yield from self.main.wait_for(thread, context, self._stop_in(context))

    def _stop_in(self, context: AioContext) -> BottomHalf:
        return lambda runner: self.stop_in_context(runner, context)

    @causal(Frame.STOP_BH)
    def stop_in_context(self, thread: Thread, context: AioContext) -> Steps:
        """Detach the queues of one context, in its own thread."""
        for port in self.ports:
            if self.context_of(port) is context:
                yield from self.detach(thread, port)

    # --- Attach and detach ------------------------------------------------------------------

    def attach_all(self, thread: Thread) -> Steps:
        """Attach every queue."""
        for port in self.ports:
            yield from self.attach(thread, port)

    def attach(self, thread: Thread, port: QueuePort) -> Steps:
        """Watch a queue, enable its kicks and set its notifier.

        Kicks may have been suppressed when the queue was detached, and entries may have been
        published since (QEMU commits 5bdbaebcce, 52bff01f64).
        """
        yield POINT
        context = self.context_of(port)
        if not port.queue.notification:
            port.set_notification(thread, True)
        self._watch(thread, port, context)
        port.notifier.set_own()

    def _watch(self, thread: Thread, port: QueuePort, context: AioContext) -> None:
        """Attach a queue's notifier to an event loop, without enabling kicks."""
        context.attach(port)
        serial, epoch, path = port.notifier.serial, self.epoch, thread.path
        off = not port.queue.asks_for_kicks()
        self._ring.emit(
            ATTACH, thread.actor, port.index, off, serial, 0, epoch, context.actor, path
        )

    def detach(self, thread: Thread, port: QueuePort) -> Steps:
        """Stop watching a queue."""
        yield POINT
        context = self.context_of(port)
        context.detach(port.index)
        self._trace_queue(DETACH, thread, port, value=context.actor)

    # --- Drains -----------------------------------------------------------------------------

    @causal(Frame.DRAINED_BEGIN)
    def drained_begin(self, thread: Thread) -> Steps:
        """Take no more requests (virtio_blk_drained_begin)."""
        if self.started and not self.disabled:
            for port in self.ports:
                yield from self.detach(thread, port)

    @causal(Frame.DRAINED_END)
    def drained_end(self, thread: Thread) -> Steps:
        """Take requests again (virtio_blk_drained_end)."""
        if self.started and not self.disabled:
            yield from self.attach_all(thread)

    def drained_poll(self) -> bool:
        """Whether a handler may have popped requests that it has not submitted yet."""
        return self.handlers_running > 0

    # --- Reset ------------------------------------------------------------------------------

    @causal(Frame.RESET)
    def reset(self, thread: Thread, *, system: bool = False) -> Steps:
        """Return to the power-on state and start a new epoch (virtio_pci_reset, virtio_blk_reset).

        `system`: the reset comes from the machine, not from the driver.
        """
        yield from self._end_epoch(thread, system)

    def unplug(self, thread: Thread) -> Steps:
        """Leave nothing behind: the device is taken away (virtio_device_unrealize).

        QEMU stops the ioeventfds first (virtio_pci_device_unplugged), then drains and deletes the
        queues (virtio_blk_device_unrealize): the order of a reset.
        """
        yield from self._end_epoch(thread, _UNPLUG)

    def _end_epoch(self, thread: Thread, by: int) -> Steps:
        self._trace(RESET_CALL, thread, flag=by)
        yield from self.stop_ioeventfd(thread)
        self._set_status(0)
        yield from self.drop_requests(thread)
        self.broken = False
        self.set_features(0)
        for port in self.ports:
            port.queue.reset()
            self.turns[port.index] = Turns()
            self.board.registers.set_queue(port.index, ENABLED, 0)
        self._trace(RESET_RET, thread)
        self.epoch += 1

    def drop_requests(self, thread: Thread) -> Steps:
        """Wait for requests in flight and cancel all others: none may outlive the epoch."""
        yield from self.blk.drained_begin(thread, poll=True)
        for request in self.blk.cancel_parked() + self.retry_list:
            self.cancel(thread, request)
        self.retry_list.clear()
        for port in self.ports:
            self.cancel_ended(thread, port)
        yield from self.blk.drained_end(thread)

    def reset_queue(self, thread: Thread, port: QueuePort) -> Steps:
        """Reset one queue (virtio 1.2, 2.6.1), after its requests have ended or been cancelled."""
        yield from self.blk.drained_begin(thread, poll=True)
        for request in self.blk.cancel_parked(port.queue):
            self.cancel(thread, request)
        for request in [held for held in self.retry_list if held.queue is port.queue]:
            self.retry_list.remove(request)
            self.cancel(thread, request)
        self.cancel_ended(thread, port)
        self.forget_queue(thread, port)
        yield from self.blk.drained_end(thread)

    def forget_queue(self, thread: Thread, port: QueuePort) -> None:
        """Return one queue to its state after reset."""
        port.queue.reset()
        self.turns[port.index] = Turns()
        self.board.registers.set_queue(port.index, ENABLED, 0)
        self._trace_queue(QUEUE_RESET, thread, port)

    def cancel(self, thread: Thread, request: Request) -> None:
        """Drop a request without pushing it (virtqueue_detach_element)."""
        request.queue.detach()
        self.turns[request.queue.index].forget(request)
        self._trace_request(CANCEL, thread, request)

    def cancel_ended(self, thread: Thread, port: QueuePort) -> None:
        """Drop the requests of a queue that have ended and wait for their turn."""
        for request, _ in self.turns[port.index].ended():
            self.cancel(thread, request)

    # --- VM state ---------------------------------------------------------------------------

    def vm_stopped(self, thread: Thread) -> Steps:
        """Stop the dataplane because the VM stops (virtio_vmstate_change, not running)."""
        yield from self.stop_ioeventfd(thread)

    def vm_drained(self, thread: Thread) -> None:
        """Put parked requests on the retry list; called while a VM stop has the device drained.

        A drain does not wait for parked requests. They are in neither the ring nor the retry list,
        so a saved VM would lose them, and the end of their drain would run them while the VM is
        stopped. On the retry list they wait for `cont`, as failed requests do.
        """
        for request in self.blk.cancel_parked():
            self.save_for_restart(thread, request)

    def save_for_restart(self, thread: Thread, request: Request) -> None:
        """Put a request on the retry list (virtio_blk_handle_rw_error)."""
        self.retry_list.append(request)
        self._trace_request(RETRY, thread, request)

    def vm_continued(self, thread: Thread) -> Steps:
        """Restart the dataplane, then the retry list, because the VM runs again."""
        if self.status & STATUS_DRIVER_OK:
            yield from self.start_ioeventfd(thread)
        self.restart_requests()

    def restart_requests(self) -> None:
        """Submit the requests of the retry list again, each in its queue's context.

        They are in flight from now on (virtio_blk_dma_restart_cb).
        """
        waiting, self.retry_list = self.retry_list, []
        for request in waiting:
            self.blk.resubmit(request)
