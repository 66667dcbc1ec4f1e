"""The virtio-blk device: `VirtioBlk` is the base class of every revision and of users' devices.

As it stands it is the *reference*: no known violation. It keeps QEMU's structure (control flow and
names of hw/block/virtio-blk.c and hw/virtio/virtio.c), with the fixes that the review of the drain
series hints at: stop takes no requests, reset cancels parked ones, drains wait for handlers.
A revision overrides single methods (see `revisions/`); so does a user's device:

    class MyDevice(VirtioBlk):
        summary = "forgets to detach"
        def drained_begin(self, thread): yield

`lifecycle.Lifecycle` below it holds the state and its transitions; here is what happens to a
request, from its pop to its push.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, ClassVar

from vblkfuzz.dataplane.block_backend import BlockBackend
from vblkfuzz.dataplane.lifecycle import Lifecycle
from vblkfuzz.dataplane.request import IoResult, Request
from vblkfuzz.dataplane.thread import Steps, Thread, Wait, causal
from vblkfuzz.limits import SECTOR_SIZE
from vblkfuzz.trace.event import EventKind, Frame
from vblkfuzz.virtio.blk import BlkStatus, RequestType, parse_request, scatter
from vblkfuzz.virtio.ring_error import RingError

if TYPE_CHECKING:
    from vblkfuzz.dataplane.queue_port import QueuePort
    from vblkfuzz.virtio.chain import Chain

_DEVICE_ID = b"vblkfuzz".ljust(20, b"\0")


class VirtioBlk(Lifecycle):
    """A virtio-blk device with an ioeventfd dataplane. Subclass it to fuzz your own."""

    summary: ClassVar[str] = "no known violation: the fixes that the drain review hints at"
    source: ClassVar[str] = "QEMU 9.0 structure, fixes of vblkfuzz"
    block_backend: ClassVar[type[BlockBackend]] = BlockBackend

    # --- Taking requests --------------------------------------------------------------------

    def notify_queue(self, thread: Thread, port: QueuePort) -> Steps:
        """The queue was notified (virtio_queue_notify_vq)."""
        if port.queue.ready and not self.broken:
            yield from self.handle_output(thread, port)

    def handle_output(self, thread: Thread, port: QueuePort) -> Steps:
        """Handle a notified queue; a driver that kicks before DRIVER_OK starts the dataplane."""
        if self.config.ioeventfd and not self.started:
            yield from self.start_ioeventfd(thread)
            if not self.disabled:
                return
        yield from self.handle_queue(thread, port)

    def handle_queue(self, thread: Thread, port: QueuePort) -> Steps:
        """Pop everything, then submit it (virtio_blk_handle_vq).

        Popping and submitting are apart, as QEMU's MultiReqBuffer makes them: a drain must not
        slip in between, so `drained_poll` counts handlers that have not finished.
        """
        self.handlers_running += 1
        direct = not (self.config.ioeventfd and self.started and not self.disabled)
        self._tell_queue(EventKind.HANDLER, thread, port, direct)
        batch = yield from self._pop_all(thread, port)
        self._tell_queue(EventKind.HANDLER_END, thread, port)
        for request in batch:
            yield from self.blk.submit(thread, request)
        self.handlers_running -= 1

    def _pop_all(
        self, thread: Thread, port: QueuePort
    ) -> Generator[Wait | None, None, list[Request]]:
        batch: list[Request] = []
        suppress = port.queue.notification
        while True:
            if suppress:
                port.set_notification(thread, False)
            while True:
                yield
                request = self._pop(thread, port)
                if request is None:
                    break
                status = self.answer_at_once(request)
                if status is None:
                    batch.append(request)
                else:
                    yield from self.finish(thread, request, status)
            if suppress:
                port.set_notification(thread, True)
                yield  # the driver may publish before it sees that kicks are wanted
            if self.broken or port.queue.empty():
                return batch

    def _pop(self, thread: Thread, port: QueuePort) -> Request | None:
        """Take one request; None when there is none or the driver broke the ring."""
        if self.broken:
            return None
        queue = port.queue
        try:
            chain = queue.pop()
        except RingError as error:
            self.virtio_error(thread, error)
            return None
        if chain is None:
            return None
        self.pops += 1
        self.board.ring.emit(
            EventKind.POP,
            thread.actor,
            port.index,
            0,
            chain.head,
            self.pops,
            self.epoch,
            queue.last_avail,
            thread.path,
        )
        return self._parse(thread, port, chain)

    def _parse(self, thread: Thread, port: QueuePort, chain: Chain) -> Request | None:
        """Make a request of a chain; a malformed one is dropped and breaks the device."""
        context = self.context_of(port) if self.started else self.main
        queue = port.queue
        try:
            blk = parse_request(self.board.memory, chain)
        except RingError as error:
            queue.detach()
            self.board.ring.emit(
                EventKind.CANCEL,
                thread.actor,
                port.index,
                0,
                chain.head,
                self.pops,
                self.epoch,
                path=thread.path,
            )
            self.virtio_error(thread, error)
            return None
        return Request(self.pops, queue, chain.head, self.epoch, blk, context)

    def answer_at_once(self, request: Request) -> BlkStatus | None:
        """Status of a request that needs no I/O, None for one that does
        (virtio_blk_handle_request, virtio_blk_sect_range_ok)."""
        blk = request.blk
        if blk.type == RequestType.GET_ID:
            request.data = _DEVICE_ID
            return BlkStatus.OK
        if blk.type in (RequestType.IN, RequestType.OUT):
            aligned = blk.data_length % SECTOR_SIZE == 0
            end = blk.sector + blk.data_length // SECTOR_SIZE
            return None if aligned and end <= self.blk.backend.sectors else BlkStatus.IOERR
        if blk.type in (RequestType.FLUSH, RequestType.DISCARD, RequestType.WRITE_ZEROES):
            return None
        return BlkStatus.UNSUPP

    # --- Ending requests --------------------------------------------------------------------

    @causal(Frame.COMPLETE)
    def complete(self, thread: Thread, request: Request) -> Steps:
        """The backend has ended a request (virtio_blk_rw_complete)."""
        if request.result is IoResult.OK or self.config.werror == "ignore":
            yield from self.finish(thread, request, BlkStatus.OK)
        elif self.config.werror == "report":
            yield from self.finish(thread, request, BlkStatus.IOERR)
        else:
            self.retry_list.append(request)
            self.vm_stop_requested = True
            self._tell_request(EventKind.RETRY, thread, request)

    def finish(self, thread: Thread, request: Request, status: BlkStatus) -> Steps:
        """Write data and status, push the used entry, call the driver (virtio_blk_req_complete)."""
        memory = self.board.memory
        length = 1
        if request.data and status is BlkStatus.OK:
            length += scatter(memory, request.blk.writable, request.data)
        memory.bytes[request.blk.status_address] = status
        self._tell_request(EventKind.MEMWRITE, thread, request)
        yield
        self.push(thread, request, length)

    def push(self, thread: Thread, request: Request, length: int) -> None:
        """Return a request in the used ring; a broken device only forgets it (virtqueue_push)."""
        queue = request.queue
        if self.broken:
            self.cancel(thread, request)
        elif queue.push(request.head, length):
            self._tell_request(EventKind.PUSH, thread, request, queue.used_idx)
            if queue.should_call():
                self.ports[queue.index].call(thread)
