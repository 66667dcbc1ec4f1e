"""Defects of drains: missing waits, missing or wrong calls of the device, missing ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.dataplane.block_backend import BlockBackend
from vblkfuzz.dataplane.defects.defect import Defect
from vblkfuzz.dataplane.operator import Operator
from vblkfuzz.dataplane.thread import POINT, Steps, Thread, causal
from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.trace.event import Frame
from vblkfuzz.trace.kinds import DETACH, DRAINED_BEGIN, DRAINED_END

if TYPE_CHECKING:
    from vblkfuzz.dataplane.lock import Lock
    from vblkfuzz.dataplane.queue_port import QueuePort


class _NoRendezvous(VirtioBlk):
    def drained_poll(self) -> bool:
        return False


class _NoRenotify(VirtioBlk):
    def attach(self, thread: Thread, port: QueuePort) -> Steps:
        yield POINT
        self._watch(thread, port, self.context_of(port))
        port.notifier.set_own()


class _NoSelfkick(VirtioBlk):
    def attach(self, thread: Thread, port: QueuePort) -> Steps:
        yield POINT
        if not port.queue.notification:
            port.set_notification(thread, True)
        self._watch(thread, port, self.context_of(port))


class _PollBypassesDrain(VirtioBlk):
    _left: tuple[QueuePort, ...] = ()
    """Queues that the drain leaves attached, because they are polled."""

    @causal(Frame.DRAINED_BEGIN)
    def drained_begin(self, thread: Thread) -> Steps:
        if self.started and not self.disabled:
            self._left = tuple(port for port in self.ports if self.context_of(port).polling)
            for port in self.ports:
                if port not in self._left:
                    yield from self.detach(thread, port)

    def attach(self, thread: Thread, port: QueuePort) -> Steps:
        if port not in self._left:
            yield from super().attach(thread, port)

    def detach(self, thread: Thread, port: QueuePort) -> Steps:
        self._left = tuple(other for other in self._left if other is not port)
        yield from super().detach(thread, port)


class _DetachElsewhere(VirtioBlk):
    @causal(Frame.DRAINED_BEGIN)
    def drained_begin(self, thread: Thread) -> Steps:
        """Detach from the main loop, wherever the queue is attached."""
        if self.started and not self.disabled:
            for port in self.ports:
                yield POINT
                self.main.detach(port.index)
                self._trace_queue(DETACH, thread, port, value=self.main.actor)


class _InFlightNotAwaited(BlockBackend):
    def _busy(self) -> bool:
        return self.device.drained_poll()


class _NestedEndResumes(BlockBackend):
    def drained_end(self, thread: Thread) -> Steps:
        yield from super().drained_end(thread)
        if self.in_drain:
            self._trace_drain(DRAINED_END, thread, False, self.quiesce_counter)
            yield from self.device.drained_end(thread)


class _BeginRepeated(BlockBackend):
    def _poll_once(self, thread: Thread, lock: Lock | None) -> Steps:
        yield from super()._poll_once(thread, lock)
        self._trace_drain(DRAINED_BEGIN, thread, True, 1)
        yield from self.device.drained_begin(thread)


class _EndMissing(Operator):
    @causal(Frame.SNAPSHOT)
    def snapshot(self, thread: Thread, *_: int) -> Steps:
        """Fail while the VM is stopped, on an error path that does not end the drain."""
        yield from self._blk.drained_begin(thread, poll=True)
        yield POINT
        if self.vm_running:
            yield from self._blk.drained_end(thread)


FAMILY: Final = (
    Defect(
        "drain_no_rendezvous",
        2024,
        "QEMU commit 9c707525cb (NBD export)",
        "A drain does not wait for a handler that has popped but not yet submitted.",
        ("S3",),
        (_NoRendezvous,),
    ),
    Defect(
        "no_renotify_on_attach",
        2024,
        "QEMU commit 5bdbaebcce, RHEL-3934",
        "A queue that was detached while polled is attached again with its kicks suppressed.",
        ("L1", "S13"),
        (_NoRenotify,),
    ),
    Defect(
        "no_selfkick",
        2024,
        "QEMU commits 5bdbaebcce, 52bff01f64",
        "An attach does not check for entries published without a kick during the detachment.",
        ("L1",),
        (_NoSelfkick,),
    ),
    Defect(
        "poll_bypasses_drain",
        2017,
        "QEMU commit 59c9f437c5",
        "A drain detaches nothing while the IOThread polls.",
        ("S1",),
        (_PollBypassesDrain,),
    ),
    Defect(
        "detach_elsewhere",
        2026,
        "vblkfuzz",
        "A drain detaches each queue from the main loop, although an IOThread watches it.",
        ("S1", "S8"),
        (_DetachElsewhere,),
    ),
    Defect(
        "begin_repeated",
        2017,
        "QEMU commit 2da9b7d456",
        "A drain calls drained_begin again at each turn of its wait loop.",
        ("S11",),
        (_BeginRepeated,),
    ),
    Defect(
        "end_missing",
        2021,
        "QEMU commit 2842ff2d81",
        "A snapshot of a stopped VM fails inside its drained section and does not end it.",
        ("S11",),
        (_EndMissing,),
    ),
    Defect(
        "in_flight_not_awaited",
        2023,
        "QEMU commit 8f5e9a8ee1 (vhost-user-blk export)",
        "A polling drain waits for handlers, but not for requests in flight.",
        ("S3",),
        (_InFlightNotAwaited,),
    ),
    Defect(
        "nested_end_resumes",
        2026,
        "vblkfuzz",
        "The end of a nested drain resumes the device, although the outer one is still open.",
        ("S11", "S8"),
        (_NestedEndResumes,),
    ),
)
