"""BlockBackend: the drain contract between block layer and device (QEMU: block/block-backend.c).

Two barriers protect a drained node; they are separate here as in QEMU. The *device* stops dequeuing
(`DrainedDevice.drained_begin` detaches its notifiers). BlockBackend *parks* requests that are
submitted all the same. A parked request is not in flight, so no drain waits for it. It goes on when
the quiesce counter is 0 again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from vblkfuzz.dataplane.thread import POINT, Steps, Thread, causal
from vblkfuzz.scenario.alphabet.guest import REQUESTS
from vblkfuzz.trace.event import NO_QUEUE, Frame
from vblkfuzz.trace.kinds import (
    DRAIN_CALL,
    DRAIN_END,
    DRAIN_RET,
    DRAINED_BEGIN,
    DRAINED_END,
    PARK,
    SUBMIT,
    UNPARK,
)
from vblkfuzz.virtio.request.blk import RequestType

if TYPE_CHECKING:
    from vblkfuzz.dataplane.aio import AioContext
    from vblkfuzz.dataplane.backend import Backend
    from vblkfuzz.dataplane.lock import Lock
    from vblkfuzz.dataplane.request import Request
    from vblkfuzz.trace.ring import TraceRing
    from vblkfuzz.virtio.queue import DeviceQueue


_CODE_OF: Final[dict[int, int]] = {kind: REQUESTS.index(kind.name.lower()) for kind in RequestType}
"""Position in `scenario.alphabet.guest.REQUESTS`, by type: the flag of a SUBMIT event."""


class DrainedDevice(Protocol):
    """The device's side of the contract (QEMU: BlockDevOps)."""

    def drained_begin(self, thread: Thread) -> Steps:
        """The quiesce counter went from 0 to 1."""

    def drained_end(self, thread: Thread) -> Steps:
        """The quiesce counter went from 1 to 0."""

    def drained_poll(self) -> bool:
        """Whether the device has popped requests that are not in flight yet."""

    def complete(self, thread: Thread, request: Request) -> Steps:
        """Complete a request that the backend has ended."""

    def context_for(self, request: Request) -> AioContext:
        """Context in which a request that waited goes on."""


class BlockBackend:
    """Counts, parks and submits the requests of one device."""

    def __init__(self, backend: Backend, ring: TraceRing, main: AioContext) -> None:
        self.backend = backend
        self.device: DrainedDevice
        self.context = main
        """AioContext of the node (blk_get_aio_context)."""
        self.quiesce_counter = 0
        self.in_flight = 0
        self.parked: list[Request] = []
        self.main = main
        self._ring = ring

    @property
    def in_drain(self) -> bool:
        """Whether a drained section is open (blk_in_drain)."""
        return self.quiesce_counter > 0

    @property
    def lock(self) -> Lock | None:
        """The lock that a drain holds, in revisions that have one."""
        return None

    def submit(self, thread: Thread, request: Request) -> Steps:
        """Send a request to the backend, or park it while drained (blk_wait_while_drained)."""
        self.in_flight += 1
        yield POINT
        self._pass_gate(thread, request)

    def _pass_gate(self, thread: Thread, request: Request) -> None:
        """Park or submit a request in flight, with no preemption point after the check."""
        if self.quiesce_counter:
            self.in_flight -= 1
            self.parked.append(request)
            self._trace(PARK, thread, request)
            return
        self._start(thread, request)

    def _start(self, thread: Thread, request: Request) -> None:
        self._trace(SUBMIT, thread, request, _CODE_OF[request.blk.type])
        self.backend.submit(request)

    def deliver(self, request: Request) -> None:
        """Complete a request that has ended, in its own context (blk_aio_complete_bh)."""

        def complete(thread: Thread) -> Steps:
            yield POINT
            yield from self.device.complete(thread, request)
            self.in_flight -= 1

        request.context.schedule(complete)

    def drained_begin(self, thread: Thread, *, poll: bool) -> Steps:
        """Begin a drained section; with `poll`, wait until no request is in flight."""
        lock = self.lock
        if lock:
            yield from lock.acquire(thread)
        yield POINT
        self.quiesce_counter += 1
        self._trace_drain(DRAIN_CALL, thread, poll, self.quiesce_counter)
        if self.quiesce_counter == 1:
            self._trace_drain(DRAINED_BEGIN, thread, poll, 1)
            yield from self.device.drained_begin(thread)
        while poll and self._busy():
            yield from self._poll_once(thread, lock)
        self._trace_drain(DRAIN_RET, thread, poll, self.in_flight)
        if lock:
            lock.release()

    def drained_end(self, thread: Thread) -> Steps:
        """End a drained section; the last end lets parked requests go on."""
        lock = self.lock
        if lock:
            yield from lock.acquire(thread)
        yield POINT
        self.quiesce_counter -= 1
        self._trace_drain(DRAIN_END, thread, False, self.quiesce_counter)
        if self.quiesce_counter == 0:
            self._trace_drain(DRAINED_END, thread, False, 0)
            yield from self.device.drained_end(thread)
            for request in self.parked:
                self._wake(request)
            self.parked.clear()
        if lock:
            lock.release()

    @causal(Frame.BLK_DRAIN)
    def drain(self, thread: Thread) -> Steps:
        """Wait for all requests in flight (blk_drain); parked ones are not in flight."""
        yield from self.drained_begin(thread, poll=True)
        yield from self.drained_end(thread)

    @causal(Frame.SET_AIO_CONTEXT)
    def set_aio_context(self, thread: Thread, context: AioContext) -> Steps:
        """Move the node to another event loop, within a drained section of its own."""
        if context is self.context:
            return
        yield from self.drained_begin(thread, poll=True)
        self.context = context
        yield from self.drained_end(thread)

    def cancel_parked(self, queue: DeviceQueue | None = None) -> list[Request]:
        """Drop all parked requests, or those of one queue, and return them."""
        cancelled = [held for held in self.parked if queue is None or held.queue is queue]
        self.parked = [held for held in self.parked if held not in cancelled]
        return cancelled

    def resubmit(self, request: Request) -> None:
        """Submit a request again, in its queue's context; it is in flight from here on."""
        self.in_flight += 1

        def submit(thread: Thread) -> Steps:
            yield POINT
            self._pass_gate(thread, request)

        request.context = self.device.context_for(request)
        request.context.schedule(submit)

    def _busy(self) -> bool:
        return self.in_flight > 0 or self.device.drained_poll()

    def _poll_once(self, thread: Thread, lock: Lock | None) -> Steps:
        """Run one turn of the main loop without the lock: a handler may need it to end."""
        if lock:
            lock.release()
        yield from self.main.wait_turn(thread, self._busy)
        if lock:
            yield from lock.acquire(thread)

    def _wake(self, request: Request) -> None:
        """Let a parked request go on, in its queue's context.

        It is in flight from here on, so a drain that begins before it runs waits for it (QEMU
        commit 8eeaa706ba).
        """
        self.in_flight += 1

        def resume(runner: Thread) -> Steps:
            yield POINT
            self._trace(UNPARK, runner, request)
            self._pass_gate(runner, request)

        request.context = self.device.context_for(request)
        request.context.schedule(resume)

    def _trace(self, kind: int, thread: Thread, request: Request, flag: int = 0) -> None:
        self._ring.emit(
            kind,
            thread.actor,
            request.queue.index,
            flag,
            request.head,
            request.serial,
            request.epoch,
            0,
            thread.path,
        )

    def _trace_drain(self, kind: int, thread: Thread, poll: bool, value: int) -> None:
        self._ring.emit(kind, thread.actor, NO_QUEUE, poll, 0, 0, 0, value & 0xFFFF, thread.path)
