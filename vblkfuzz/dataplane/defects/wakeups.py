"""Defects of wake-ups: an event loop sleeps on although something waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.dataplane.aio import AioContext
from vblkfuzz.dataplane.block_backend import BlockBackend
from vblkfuzz.dataplane.defects.defect import Defect
from vblkfuzz.dataplane.thread import POINT, Steps, Thread, Wait
from vblkfuzz.dataplane.virtio_blk import VirtioBlk

if TYPE_CHECKING:
    from vblkfuzz.dataplane.aio import BottomHalf, QueueHandler
    from vblkfuzz.dataplane.lock import Lock
    from vblkfuzz.dataplane.queue_port import QueuePort
    from vblkfuzz.dataplane.request import Request


class _CompletionNotNotified(BlockBackend):
    def deliver(self, request: Request) -> None:
        before = request.context.notified
        super().deliver(request)
        request.context.notified = before


class _AttachNotNotified(VirtioBlk):
    _ending_drain = False

    def drained_end(self, thread: Thread) -> Steps:
        self._ending_drain = True
        yield from super().drained_end(thread)
        self._ending_drain = False

    def _watch(self, thread: Thread, port: QueuePort, context: AioContext) -> None:
        super()._watch(thread, port, context)
        if self._ending_drain:
            context.overlook(port)


class _AttachWakes(AioContext):
    """A loop learns of a new handler when it wakes up, not before."""

    __slots__ = ()

    def attach(self, handler: QueueHandler) -> None:
        super().attach(handler)
        self.overlook(handler)
        self.notify()


class _WakeUpStolen(BlockBackend):
    def drained_end(self, thread: Thread) -> Steps:
        """Poll the node's loop once here, without blocking: that clears its notifier."""
        yield from super().drained_end(thread)
        self.context.notified = False


class _AcceptLate(AioContext):
    __slots__ = ()

    def run_once(self, thread: Thread) -> Steps:
        yield from super().run_once(thread)
        if not self._bottom_halves:
            yield POINT
            self.notified = False


class _NotifiesIfAsleep(AioContext):
    notify_me = True
    """What was read last; True: it sleeps, so it must be notified."""

    def notify(self) -> None:
        if self.notify_me:
            super().notify()
        self.notify_me = True


class _NotifyMeReadEarly(VirtioBlk):
    def detach_in_contexts(self, thread: Thread) -> Steps:
        """Detach with a bottom half for each queue, as in QEMU 10.2."""
        asleep = {context: not context.notified for context in self.contexts()}
        for port in self.ports:
            yield POINT
            context = self.context_of(port)
            assert isinstance(context, _NotifiesIfAsleep)
            context.notify_me = asleep[context]
            yield from self.main.wait_for(thread, context, self._detach_of(port))

    def _detach_of(self, port: QueuePort) -> BottomHalf:
        return lambda runner: self.detach(runner, port)


class _HandlerEndNotKicked(BlockBackend):
    def _poll_once(self, thread: Thread, lock: Lock | None) -> Steps:
        if self.in_flight or self.main.has_work():
            yield from super()._poll_once(thread, lock)
        else:
            yield from self.main.sleep(self._busy, _never)


class _WaiterCountedLate(AioContext):
    __slots__ = ()

    def wait_turn(self, thread: Thread, condition: Wait) -> Steps:
        if self.has_work():
            yield from super().wait_turn(thread, condition)
            return
        yield POINT
        missed = not condition()
        yield from self.sleep(condition, _never if missed else lambda: not condition())


def _never() -> bool:
    return False


FAMILY: Final = (
    Defect(
        "completion_not_notified",
        2026,
        "vblkfuzz",
        "The bottom half of a completion is scheduled without aio_notify, so a sleeping event loop "
        "does not run it.",
        ("L3", "S33"),
        (_CompletionNotNotified,),
    ),
    Defect(
        "attach_not_notified",
        2017,
        "qemu-block, May 2017, aio: add missing aio_notify() to aio_enable_external()",
        "The end of a drain attaches the handlers without aio_notify: a loop that sleeps does not "
        "poll them.",
        ("L1", "S33"),
        (_AttachNotNotified,),
    ),
    Defect(
        "wakeup_stolen",
        2018,
        "QEMU commit b37548fcd1, rhbz 1562750",
        "The main thread polls the loop of an IOThread after a drain, and clears the notifier that "
        "was to wake it.",
        ("L1", "S33"),
        (_AttachWakes, _WakeUpStolen),
    ),
    Defect(
        "accept_late",
        2015,
        "the commit before QEMU commit 05e514b1d4",
        "A loop clears its notifier after it has looked for bottom halves, instead of before.",
        ("L3", "S33"),
        (_AcceptLate,),
    ),
    Defect(
        "notify_me_read_early",
        2020,
        "QEMU commit 5710a3e09f, Launchpad 1805256",
        "A stop reads which event loops sleep before it queues its bottom halves, so it does not "
        "wake one that has gone to sleep in between.",
        ("L2", "S33"),
        (_NotifiesIfAsleep, _NotifyMeReadEarly),
    ),
    Defect(
        "handler_end_not_kicked",
        2026,
        "vblkfuzz",
        "The end of a handler does not call aio_wait_kick, so a drain that waits for it sleeps on.",
        ("L2", "L3", "S11", "S33"),
        (_HandlerEndNotKicked,),
    ),
    Defect(
        "waiter_counted_late",
        2026,
        "vblkfuzz",
        "A wait counts itself among the waiters after it has checked its condition; a kick in "
        "between reaches none.",
        ("L2", "S33"),
        (_WaiterCountedLate,),
    ),
)
