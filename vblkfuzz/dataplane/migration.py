"""Save and restore of the device: one is saved and thrown away, another goes on from its state.

The operator has stopped and drained the VM before (`Operator.save`), so all requests have ended or
are on the retry list. Source: QEMU virtio_save, virtio_load, virtio_blk_save_device,
virtio_blk_load_device. Decision: docs/decisions/0015.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vblkfuzz.dataplane.lifecycle import Lifecycle
from vblkfuzz.dataplane.registers import CAPACITY, GENERATION, WRITEBACK
from vblkfuzz.dataplane.request import Request
from vblkfuzz.dataplane.saved_state import SavedQueue, SavedRequest, SavedState
from vblkfuzz.trace.kinds import RESUMED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vblkfuzz.dataplane.queue_port import QueuePort
    from vblkfuzz.dataplane.thread import Thread


class Migration(Lifecycle):
    """The device at both ends of a migration."""

    # --- Save -------------------------------------------------------------------------------

    def save_state(self) -> SavedState:
        """Return the state of the stopped and drained device (virtio_save)."""
        words = self.board.registers.words
        return SavedState(
            self.status,
            self.features,
            self.broken,
            bool(words[WRITEBACK]),
            words[GENERATION],
            tuple(self.save_queue(port) for port in self.ports),
            (*map(self.save_request, self.retry_list), *self.save_ended()),
            self.pending_calls(),
        )

    def save_queue(self, port: QueuePort) -> SavedQueue:
        """Return the state of one queue."""
        queue = port.queue
        areas = port.rings.areas if queue.ready else None
        return SavedQueue(areas, queue.last_avail, queue.notification, queue.progress())

    def save_request(self, request: Request) -> SavedRequest:
        """Return what a new device needs to submit a request again (virtio_blk_save_device)."""
        return SavedRequest(
            request.queue.index, request.head, request.serial, request.epoch, request.blk
        )

    def save_ended(self) -> Iterator[SavedRequest]:
        """Yield the requests that have ended and wait for their turn (F_IN_ORDER)."""
        for turns in self.turns:
            for request, length in turns.ended():
                yield replace(self.save_request(request), length=length)

    def pending_calls(self) -> tuple[int, ...]:
        """Return the queues whose call the guest has not taken yet.

        A call from before a reset is the guest's already: it stays, whatever becomes of the device.
        """
        first, calls = self.config.first_index, self.board.calls
        queues = [port.queue for port in self.ports if calls[port.index].is_set()]
        return tuple(each.index for each in queues if each.ready and each.used_idx != first)

    # --- Restore ----------------------------------------------------------------------------

    def load_state(self, thread: Thread, state: SavedState) -> None:
        """Take over a saved state; this device has done nothing yet (virtio_load).

        Requests go to the retry list, and so are submitted when the VM continues.
        """
        self.status = state.status  # the register may have more: what the driver has written since
        self.features = state.features
        self.set_writeback(state.writeback)
        self.broken = state.broken
        words = self.board.registers.words
        words[CAPACITY], words[GENERATION] = self.blk.backend.sectors, state.generation
        for port, saved in zip(self.ports, state.queues, strict=True):
            self.load_queue(port, saved)
        for request in state.requests:
            self.load_request(thread, request)

    def load_queue(self, port: QueuePort, saved: SavedQueue) -> None:
        """Go on with the rings of one queue."""
        if saved.layout is None:
            return
        areas = saved.layout
        places = areas.size, areas.desc, areas.avail, areas.used
        port.queue = port.rings.set_up(places, self.features)
        port.queue.go_on_at(saved.last_avail, saved.progress)
        port.queue.notification = saved.notification

    def load_request(self, thread: Thread, saved: SavedRequest) -> None:
        """Put a saved request on the retry list (virtio_blk_load_device), unless it has ended."""
        queue, context = self.ports[saved.queue].queue, self.main
        request = Request(saved.serial, queue, saved.head, saved.epoch, saved.blk, context)
        if self.in_order:
            self.turns[saved.queue].take(request)
        if saved.length:
            request.status = self.board.memory.bytes[saved.blk.status_address]
            self.turns[saved.queue].keep(request, saved.length)
        else:
            self.retry_list.append(request)
        self._trace_request(RESUMED, thread, request)

    def raise_calls(self, thread: Thread, state: SavedState) -> None:
        """Make the calls again that were pending when the VM was saved; the VM runs again."""
        for index in state.calls:
            self.ports[index].interrupt(thread)
