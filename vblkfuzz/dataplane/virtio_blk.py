"""The virtio-blk device: `VirtioBlk` is the base class of every revision and of users' devices.

It is the *reference*, the device without a known violation. It has the structure of QEMU (control
flow and names of hw/block/virtio-blk.c and hw/virtio/virtio.c), with the fixes that the review of
the drain series suggests: stop takes no requests, reset cancels parked ones, drains wait for
handlers. A revision overrides single methods (see `revisions/`); so does a user's device:

    class MyDevice(VirtioBlk):
        summary = "does not detach for a drain"
        def drained_begin(self, thread): yield

Its base class `migration.Migration` has save and restore, and `lifecycle.Lifecycle` below it start,
stop and reset. This module handles a request from its pop to its push.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from vblkfuzz.dataplane.aio import AioContext
from vblkfuzz.dataplane.block_backend import BlockBackend
from vblkfuzz.dataplane.migration import Migration
from vblkfuzz.dataplane.operator import Operator
from vblkfuzz.dataplane.request import IoResult, Request
from vblkfuzz.dataplane.thread import NO_STEPS, POINT, Steps, Thread, causal
from vblkfuzz.limits import SECTOR_SIZE
from vblkfuzz.trace.event import Frame
from vblkfuzz.trace.kinds import CANCEL, HANDLER, HANDLER_END, MEMWRITE, POP, PUSH
from vblkfuzz.trace.order_kinds import WAITS
from vblkfuzz.virtio.request.blk import (
    DISCARD_SEGMENT,
    ID_SIZE,
    UNMAP,
    BlkStatus,
    RequestType,
    cleared_sectors,
    parse_request,
    scatter,
)
from vblkfuzz.virtio.ring_error import RingError

if TYPE_CHECKING:
    from vblkfuzz.dataplane.queue_port import QueuePort
    from vblkfuzz.scenario.device import Rerror
    from vblkfuzz.virtio.chain import Chain
    from vblkfuzz.virtio.request.blk import BlkRequest

# Looked up once: these are needed some six times an execution (docs/decisions/0010).
_IO_OK: Final = IoResult.OK
_OK, _IOERR, _UNSUPP = BlkStatus
_IN, _OUT, _FLUSH, _GET_ID, _DISCARD, _WRITE_ZEROES = RequestType

_READ_OR_WRITE = (_IN, _OUT)
_CLEARS = (_DISCARD, _WRITE_ZEROES)
_WRITES = (_OUT, *_CLEARS)


class VirtioBlk(Migration):
    """A virtio-blk device with an ioeventfd dataplane. Subclass it to fuzz your own."""

    summary: ClassVar[str] = "no known violation: has the fixes that the drain review suggests"
    source: ClassVar[str] = "QEMU 9.0 structure, fixes of vblkfuzz"
    block_backend: ClassVar[type[BlockBackend]] = BlockBackend
    aio_context: ClassVar[type[AioContext]] = AioContext
    operator: ClassVar[type[Operator]] = Operator
    known: ClassVar[dict[str, str]] = {}
    """Expected violations: the beginning of a signature, and the bug that explains it."""

    # --- Taking requests --------------------------------------------------------------------

    def handle_output(self, thread: Thread, port: QueuePort) -> Steps:
        """Handle a queue that was notified (virtio_queue_notify_vq, virtio_blk_handle_output).

        A kick before DRIVER_OK starts the dataplane.
        """
        if self.broken or not port.queue.ready:
            return NO_STEPS
        if self.config.ioeventfd and not self.started:
            return self._start_on_kick(thread, port)
        return self.handle_queue(thread, port)

    def _start_on_kick(self, thread: Thread, port: QueuePort) -> Steps:
        yield from self.start_ioeventfd(thread)
        if self.disabled:
            yield from self.handle_queue(thread, port)

    def handle_queue(self, thread: Thread, port: QueuePort) -> Steps:
        """Pop all requests, then submit them (virtio_blk_handle_vq).

        Popping and submitting are separate, as with QEMU's MultiReqBuffer. A drain must not end in
        between, so `drained_poll` is true while a handler has not finished.
        """
        self.handlers_running += 1
        direct = not (self.config.ioeventfd and self.started and not self.disabled)
        self._trace_queue(HANDLER, thread, port, direct)
        batch: list[Request] = []
        queue = port.queue
        suppress = queue.notification
        while True:
            if suppress:
                queue.set_notification(False)
            yield POINT
            while request := self._pop(thread, port):
                status = self.answer_at_once(request)
                if status is None:
                    batch.append(request)
                else:
                    yield from self.finish(thread, request, status)
                yield POINT
            if suppress:
                yield POINT  # the driver may publish before it reads that kicks are enabled
                queue.set_notification(True)
            if self.broken or not self.look_again(port):
                break
        self._trace_queue(HANDLER_END, thread, port, queue.would_be_kicked())
        for request in batch:
            yield from self.blk.submit(thread, request)
        self.handlers_running -= 1

    def look_again(self, port: QueuePort) -> bool:
        """Whether entries were published, with their kick suppressed, since the last check."""
        return not port.queue.empty()

    def _pop(self, thread: Thread, port: QueuePort) -> Request | None:
        """Pop one request; None if there is none or the ring is broken."""
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
            POP,
            thread.actor,
            port.index,
            0,
            chain.head,
            self.pops,
            self.epoch,
            queue.last_avail,
            thread.path,
            queue.span,
        )
        return self._parse(thread, port, chain)

    def _parse(self, thread: Thread, port: QueuePort, chain: Chain) -> Request | None:
        """Make a request of a chain; a malformed chain breaks the device, then is dropped."""
        context = self.completion_context(thread)
        queue = port.queue
        try:
            blk = parse_request(self.board.memory, chain)
        except RingError as error:
            self.virtio_error(thread, error)
            queue.detach()
            self.board.ring.emit(
                CANCEL,
                thread.actor,
                port.index,
                0,
                chain.head,
                self.pops,
                self.epoch,
                path=thread.path,
            )
            return None
        request = Request(self.pops, queue, chain.head, self.epoch, blk, context)
        if self.in_order:
            self.turns[port.index].take(request)
        return request

    def answer_at_once(self, request: Request) -> BlkStatus | None:
        """Status of a request that needs no I/O; None if it needs I/O.

        QEMU: virtio_blk_handle_request, virtio_blk_sect_range_ok.
        """
        blk = request.blk
        if blk.type in _WRITES and not self.writable():
            return _IOERR
        if blk.type in _READ_OR_WRITE:
            sectors, odd = divmod(blk.data_length, SECTOR_SIZE)
            return _IOERR if odd or blk.sector + sectors > self.capacity() else None
        if blk.type == _GET_ID:
            request.data = self.device_id.ljust(ID_SIZE, b"\0")
            return _OK
        if blk.type == _FLUSH:
            return None
        if blk.type in _CLEARS:
            return self.refusal_of_clear(blk)
        return _UNSUPP

    def refusal_of_clear(self, blk: BlkRequest) -> BlkStatus | None:
        """Status of a DISCARD or WRITE_ZEROES that is refused; None if it is not.

        As in QEMU there may be one segment. Unknown flags are UNSUPP, and so is the flag unmap of a
        DISCARD (5.2.6.2; virtio_blk_handle_discard_write_zeroes).
        """
        if blk.data_length > DISCARD_SEGMENT.size:
            return _UNSUPP
        first, sectors, flags = cleared_sectors(self.board.memory, blk)
        if not sectors or first + sectors > self.capacity():
            return _IOERR
        known = UNMAP if blk.type == _WRITE_ZEROES else 0
        return _UNSUPP if flags & ~known else None

    def writable(self) -> bool:
        """Whether writes, discards and zeroes are allowed (blk_is_writable, 5.2.6.2)."""
        return not self.config.read_only

    def capacity(self) -> int:
        """Number of sectors that requests may access (blk_get_geometry)."""
        return self.blk.backend.sectors

    # --- Ending requests --------------------------------------------------------------------

    @causal(Frame.COMPLETE)
    def complete(self, thread: Thread, request: Request) -> Steps:
        """Complete a request that the backend has ended (virtio_blk_rw_complete)."""
        if request.result is _IO_OK:
            yield from self.finish(thread, request, _OK)
            return
        action = self.error_action(request)
        if action == "stop":
            self.save_for_restart(thread, request)
            self.request_vm_stop()
        else:
            status = _OK if action == "ignore" else _IOERR
            yield from self.finish(thread, request, status)

    def error_action(self, request: Request) -> Rerror:
        """Action for a request that failed (blk_get_error_action)."""
        if request.blk.type == _IN:
            return self.config.rerror
        if self.config.werror == "enospc":
            return "stop" if request.result is IoResult.ENOSPC else "report"
        return self.config.werror

    def finish(self, thread: Thread, request: Request, status: BlkStatus) -> Steps:
        """Write data and status, push the used entry, call the driver (virtio_blk_req_complete)."""
        memory = self.board.memory
        length = 1
        if request.data and status is _OK:
            length += scatter(memory, request.blk.writable, request.data)
        memory.bytes[request.blk.status_address] = request.status = status
        self._trace_request(MEMWRITE, thread, request)
        yield POINT
        self.push(thread, request, length)

    def push(self, thread: Thread, request: Request, length: int) -> None:
        """Return a request in the used ring (virtqueue_push); a broken device drops it.

        With F_IN_ORDER it may have to wait for its turn, or end the wait of others.
        """
        if self.broken:
            self.cancel(thread, request)
        elif self.in_order:
            due = [*self.turns[request.queue.index].end(request, length)]
            if not due:
                self._trace_request(WAITS, thread, request)
            for each, written in due:
                self.push_now(thread, each, written)
        else:
            self.push_now(thread, request, length)

    def push_now(self, thread: Thread, request: Request, length: int) -> None:
        """Return a request whose turn it is, and call the driver if it wants that."""
        queue = request.queue
        if queue.push(request.head, length):
            self._trace_request(PUSH, thread, request, queue.used_idx, request.status, length)
            if queue.should_call():
                self.ports[queue.index].call(thread)
