"""Revision `qemu-8.1`: QEMU of August 2023, the first release with drained_begin and drained_end.

It differs from `qemu-9.0` in this:

* a detach while polling leaves kicks suppressed; attach neither enables kicks nor sets the notifier
  (B4, B4b: 5bdbaebcce, 52bff01f64);
* one AioContext, that of the node, handles all queues (b6948ab01d), and one bottom half detaches
  them;
* the state of the dataplane, not the calling thread, decides how a call is made (B15: bfa36802d1);
* requests are completed in the AioContext of the node, not in the thread that popped them
  (46eb6e861b);
* handlers, completions and drains hold the AioContext lock (b49f4755c7, 6b5aa3a0fd).

It is patch 17/20 as merged (1665d9326f) with the fix of its start and stop (75dcb4d790).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from vblkfuzz.dataplane.queue_port import QueuePort
from vblkfuzz.dataplane.revisions.qemu_9_0 import Qemu90, Qemu90BlockBackend
from vblkfuzz.dataplane.thread import POINT, Steps, Thread, causal
from vblkfuzz.trace.event import Frame
from vblkfuzz.trace.kinds import DETACH

if TYPE_CHECKING:
    from vblkfuzz.dataplane.aio import AioContext
    from vblkfuzz.dataplane.block_backend import BlockBackend
    from vblkfuzz.dataplane.lock import Lock
    from vblkfuzz.dataplane.request import Request


class Qemu81BlockBackend(Qemu90BlockBackend):
    """BlockBackend until 8.2: drains hold the AioContext lock."""

    @property
    def lock(self) -> Lock:
        """The node's AioContext lock."""
        return self.context.lock


class Qemu81QueuePort(QueuePort):
    """A queue until 8.2: a call uses the guest notifier while the dataplane is started."""

    __slots__ = ()

    def needs_bql(self, thread: Thread) -> bool:
        """Depends on the device, not the thread (virtio_blk_req_complete until bfa36802d1)."""
        return not self._device.started or self._device.disabled


class Qemu81(Qemu90):
    """virtio-blk of QEMU 8.1."""

    summary: ClassVar[str] = "QEMU 8.1: a drain while polling loses kicks"
    source: ClassVar[str] = "QEMU 8.1, 1665d9326f, 75dcb4d790"
    block_backend: ClassVar[type[BlockBackend]] = Qemu81BlockBackend
    queue_port: ClassVar[type[QueuePort]] = Qemu81QueuePort
    known: ClassVar[dict[str, str]] = Qemu90.known | {
        "l1-": "5bdbaebcce: after a drain while polling, kicks stay suppressed (B4, B4b)",
        "s34-available": "5bdbaebcce: a restored device attaches, too (B4, B4b)",
        "s13-": "5bdbaebcce: a drain or stop while polling leaves kicks suppressed (B4)",
        "s10-complete-without_bql": "bfa36802d1: dataplane state decides how a call is made (B15)",
        "s1-host_notifier_read": "b49f4755c7: a handler that waits for the lock is detached (B3)",
    }

    def context_of(self, port: QueuePort) -> AioContext:
        """The same AioContext for all queues."""
        if not self.iothreads:
            return self.main
        return self.iothreads[self.first_iothread % len(self.iothreads)]

    def completion_context(self, thread: Thread) -> AioContext:
        """The node's context, whichever thread pops the request (until 46eb6e861b of 8.2)."""
        return self.blk.context

    def handle_queue(self, thread: Thread, port: QueuePort) -> Steps:
        """Handle the queue under the AioContext lock."""
        lock = self.blk.context.lock
        yield from lock.acquire(thread)
        yield from super().handle_queue(thread, port)
        lock.release()

    def complete(self, thread: Thread, request: Request) -> Steps:
        """Complete a request under the AioContext lock (virtio_blk_rw_complete)."""
        lock = self.blk.context.lock
        yield from lock.acquire(thread)
        yield from super().complete(thread, request)
        lock.release()

    def detach_in_contexts(self, thread: Thread) -> Steps:
        """Run one bottom half for all queues (virtio_blk_data_plane_stop_bh)."""
        yield from self.main.wait_for(thread, self.home, self.stop_queues)

    @causal(Frame.STOP_BH)
    def stop_queues(self, thread: Thread) -> Steps:
        """Detach each queue, then process it one last time (bd58ab40c3)."""
        for port in self.ports:
            yield from self.detach(thread, port)
            yield POINT
            yield from port.read(thread)

    def attach(self, thread: Thread, port: QueuePort) -> Steps:
        """Only attach, in the context that the node has now (blk_get_aio_context)."""
        yield POINT
        self._watch(thread, port, self.blk.context)

    def detach(self, thread: Thread, port: QueuePort) -> Steps:
        """Stop watching a queue, in the context that the node has now."""
        yield POINT
        context = self.blk.context
        context.detach(port.index)
        self._trace_queue(DETACH, thread, port, value=context.actor)
