"""Revision `qemu-8.0`: QEMU of April 2023, before the drain series.

The drain series (revision `patch-v4`) replaced the following. A drain does not call the device. It
disables the *external* handlers of the whole AioContext (aio_disable_external, a counter), which
stay attached but inert:

* handlers attach at start and detach at stop only, drained or not, so there is no B2, B4 or B4b;
* if a node moves while drained, its old AioContext is enabled and the new one disabled
  (bdrv_detach_aio_context);
* poll mode also begins and ends for inert handlers, but their queues are not handled.

A stop in a drain processes each queue twice: in the bottom half, and when its notifier is closed
(B1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from vblkfuzz.dataplane.aio import AioContext, Registration
from vblkfuzz.dataplane.revisions.patch_v4 import PatchV4
from vblkfuzz.dataplane.revisions.qemu_8_1 import Qemu81, Qemu81BlockBackend
from vblkfuzz.dataplane.thread import POINT, Steps, Thread, causal
from vblkfuzz.trace.event import ActorId, Frame

if TYPE_CHECKING:
    from vblkfuzz.dataplane.block_backend import BlockBackend

_INERT: Final = "not a bug: a handler that is attached in a drain is inert until it ends"


class GatedAioContext(AioContext):
    """AioContext whose handlers can be disabled; all of them are external."""

    __slots__ = ("disabled",)

    def __init__(self, actor: ActorId, *, polling: bool = False) -> None:
        super().__init__(actor, polling=polling)
        self.disabled = 0
        """Number of drained nodes in this context (external_disable_cnt)."""

    def has_work(self) -> bool:
        """Whether `run_once` would do something."""
        if self.disabled:
            scheduled = self.notified and bool(self._bottom_halves)
            return scheduled or self.poll_wanted is not self.polling
        return super().has_work()

    def _may_run(self, registration: Registration) -> bool:
        return not self.disabled and super()._may_run(registration)


def _gate(context: AioContext, change: int) -> None:
    """Disable (1) or enable (-1) external handlers (aio_disable_external)."""
    assert isinstance(context, GatedAioContext)
    context.disabled += change


class Qemu80BlockBackend(Qemu81BlockBackend):
    """BlockBackend of 8.0."""

    @causal(Frame.SET_AIO_CONTEXT)
    def set_aio_context(self, thread: Thread, context: AioContext) -> Steps:
        """Move the node; enable the handlers of its old context and disable those of the new."""
        if context is self.context:
            return
        yield from self.drained_begin(thread, poll=True)
        _gate(self.context, -1)
        self.context = context
        _gate(self.context, 1)
        yield from self.drained_end(thread)


class Qemu80(PatchV4):
    """virtio-blk of QEMU 8.0."""

    summary: ClassVar[str] = "QEMU 8.0: drains disable the handlers without calling the device"
    source: ClassVar[str] = "QEMU 8.0, before 1665d9326f"
    block_backend: ClassVar[type[BlockBackend]] = Qemu80BlockBackend
    aio_context: ClassVar[type[AioContext]] = GatedAioContext
    known: ClassVar[dict[str, str]] = {
        signature: why
        for signature, why in Qemu81.known.items()
        if not signature.startswith(("s8-", "s9-"))  # here drains do not attach or detach
    } | {
        "s1-stop_bh-host_notifier_read": "open: stop in a drain processes the queues (B1)",
        "l1-": "5bdbaebcce: a stop, or the end of poll mode in a drain, loses kicks",
        "s8-start-drained": _INERT,
    }

    def run_dataplane(self, thread: Thread) -> Steps:
        """Attach even when drained: the handlers are inert then."""
        self.started = True
        self.starting = False
        yield from self.blk.set_aio_context(thread, self.home)
        yield from self.attach_all(thread)

    def stop_dataplane(self, thread: Thread) -> Steps:
        """Detach even when drained; the drains in this method do not attach."""
        yield from self.detach_in_contexts(thread)
        yield from self.blk.drain(thread)
        yield from self.blk.set_aio_context(thread, self.main)
        yield from self.release_notifiers(thread, self.ports)
        self.started = False

    @causal(Frame.DRAINED_BEGIN)
    def drained_begin(self, thread: Thread) -> Steps:
        """Disable the handlers of the node's AioContext."""
        yield POINT
        _gate(self.blk.context, 1)

    @causal(Frame.DRAINED_END)
    def drained_end(self, thread: Thread) -> Steps:
        """Enable the handlers of the node's AioContext."""
        yield POINT
        _gate(self.blk.context, -1)
