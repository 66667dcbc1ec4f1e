"""Revision `seed`: QEMU with patch v4 17/20 of April 2023, before 75dcb4d790 and 5bdbaebcce.

drained_begin/end detach and attach the host notifiers, and its known holes are:

* stop still reads each notifier when it closes it, so a reset or `stop` inside a drained section
  pops requests (open in QEMU to this day);
* `started` is set before the node moves, and cleared after the notifiers are closed, so the drains
  inside start and stop attach handlers too early and too late (fixed by 75dcb4d790);
* drains attach and detach where the node lives, which is the main context at the end of stop;
* a detach while polling leaves kicks suppressed, and attach does not kick (5bdbaebcce);
* reset does not know parked requests; a resumed request is counted late (8eeaa706ba).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from vblkfuzz.dataplane.block_backend import BlockBackend
from vblkfuzz.dataplane.thread import POINT, Steps, Thread, causal
from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.trace.event import EventKind, Frame

if TYPE_CHECKING:
    from vblkfuzz.dataplane.aio import AioContext
    from vblkfuzz.dataplane.lock import Lock
    from vblkfuzz.dataplane.queue_port import QueuePort
    from vblkfuzz.dataplane.request import Request


# Bound once: looking up an enum member costs 100 ns on Python 3.11.
_ATTACH: Final = EventKind.ATTACH
_DETACH: Final = EventKind.DETACH
_UNPARK: Final = EventKind.UNPARK


class SeedBlockBackend(BlockBackend):
    """BlockBackend of 8.1: drains hold the AioContext lock, resumed requests count late."""

    @property
    def lock(self) -> Lock:
        """The node's AioContext lock."""
        return self.context.lock

    def _wake(self, request: Request) -> None:
        """Only the woken coroutine counts itself, and it does not look at the drain again."""

        def resume(runner: Thread) -> Steps:
            yield POINT
            self.in_flight += 1
            self._tell(_UNPARK, runner, request)
            self._start(runner, request)

        request.context.schedule(resume)


class Seed(VirtioBlk):
    """virtio-blk as of the review thread that this project starts from."""

    summary: ClassVar[str] = "QEMU 8.1 in review: reset inside a drained section pops requests"
    source: ClassVar[str] = "qemu-devel, PATCH v4 17/20, 2023-04-25"
    block_backend: ClassVar[type[BlockBackend]] = SeedBlockBackend

    def context_of(self, port: QueuePort) -> AioContext:
        """One AioContext for all queues (iothread-vq-mapping came with 9.0)."""
        if not self.iothreads:
            return self.main
        return self.iothreads[self.first_iothread % len(self.iothreads)]

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

    def run_dataplane(self, thread: Thread) -> Steps:
        """Started before the node has moved: its own drain already attaches."""
        self.started = True
        self.starting = False
        yield from self.blk.set_aio_context(thread, self.home)
        for port in self.ports:
            port.notifier.set_own()
        if not self.blk.in_drain:
            yield from self.attach_all(thread)

    def stop_dataplane(self, thread: Thread) -> Steps:
        """Started until the very end: the drains in here attach again."""
        if not self.blk.in_drain:
            yield from self.detach_in_contexts(thread)
        yield from self.blk.drain(thread)
        yield from self.blk.set_aio_context(thread, self.main)
        yield from self.release_notifiers(thread, self.ports)
        self.started = False

    @causal(Frame.STOP_BH)
    def stop_in_context(self, thread: Thread, context: AioContext) -> Steps:
        """Detach, then process the queue one last time (16/20)."""
        for port in self.ports:
            yield from self.detach(thread, port)
            yield POINT
            yield from port.read(thread)

    @causal(Frame.CLEANUP_HOST_NOTIFIER)
    def cleanup_host_notifier(self, thread: Thread, port: QueuePort) -> Steps:
        """Read the notifier before closing it (virtio_bus_cleanup_host_notifier): the hole."""
        yield POINT
        yield from port.read(thread)
        port.close_notifier(thread)

    def fall_back(self, thread: Thread) -> Steps:
        """Served are the kicks to come only."""
        yield from ()

    def attach(self, thread: Thread, port: QueuePort) -> Steps:
        """Attach and nothing else, wherever the node lives now (blk_get_aio_context)."""
        yield POINT
        context = self.blk.context
        context.attach(port)
        self._tell_queue(_ATTACH, thread, port, value=context.actor)

    def detach(self, thread: Thread, port: QueuePort) -> Steps:
        """Stop watching a queue in the context where the node lives now."""
        yield POINT
        context = self.blk.context
        context.detach(port.index)
        self._tell_queue(_DETACH, thread, port, value=context.actor)

    @causal(Frame.DRAINED_BEGIN)
    def drained_begin(self, thread: Thread) -> Steps:
        """Detach all queues, of a disabled dataplane too."""
        if self.started:
            for port in self.ports:
                yield from self.detach(thread, port)

    @causal(Frame.DRAINED_END)
    def drained_end(self, thread: Thread) -> Steps:
        """Attach all queues, of a disabled dataplane too."""
        if self.started:
            yield from self.attach_all(thread)

    def drained_poll(self) -> bool:
        """There is no drained_poll."""
        return False

    def drop_requests(self, thread: Thread) -> Steps:
        """Wait for what is in flight, free the retry list; parked requests stay."""
        yield from self.blk.drain(thread)
        for request in self.retry_list:
            self.cancel(thread, request)
        self.retry_list.clear()

    @causal(Frame.QUEUE_RESET)
    def reset_queue(self, thread: Thread, port: QueuePort) -> Steps:
        """virtio-blk has no queue_reset hook: only the ring is forgotten."""
        yield POINT
        self.forget_queue(thread, port)
