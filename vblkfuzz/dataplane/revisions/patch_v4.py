"""Revision `patch-v4`: version 4 of a patch in review, the thread that this project starts from.

The patch is 17/20 of the drain series, sent to qemu-devel in April 2023; a later version of it was
merged for 8.1 (1665d9326f).

It differs from `qemu-8.1` in that 75dcb4d790 is missing (B2):

* `started` is set before the node moves, so the drain of that move attaches the handlers too early;
* `started` is cleared after the notifiers are closed, so the drains inside stop attach them again,
  and in the main context, to which the node has moved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from vblkfuzz.dataplane.revisions.qemu_8_1 import Qemu81

if TYPE_CHECKING:
    from vblkfuzz.dataplane.thread import Steps, Thread

_B2: Final = "75dcb4d790: the drains inside start and stop attach (B2)"


class PatchV4(Qemu81):
    """virtio-blk with version 4 of the patch, as it was reviewed."""

    summary: ClassVar[str] = "a patch of 8.1 in review: a reset in a drained section pops requests"
    source: ClassVar[str] = "qemu-devel, PATCH v4 17/20, 2023-04-25"
    known: ClassVar[dict[str, str]] = Qemu81.known | {
        "s8-start-twice": _B2,
        "s8-stop-": _B2,
        "s1-host_notifier_read": _B2,
        "s1-host_notifier_read-detached": Qemu81.known["s1-host_notifier_read"],
        "s9-drained_end-closed-in_stop": _B2,
        "s9-cleanup_host_notifier-attached-in_stop": _B2,
        "s10-host_notifier_read-beside": _B2,
    }

    def run_dataplane(self, thread: Thread) -> Steps:
        """Set `started` before the node moves: the drain of that move attaches."""
        self.started = True
        self.starting = False
        yield from self.blk.set_aio_context(thread, self.home)
        for port in self.ports:
            port.notifier.set_own()
        if not self.blk.in_drain:
            yield from self.attach_all(thread)

    def stop_dataplane(self, thread: Thread) -> Steps:
        """Clear `started` at the end: the drains in this method attach again."""
        if not self.blk.in_drain:
            yield from self.detach_in_contexts(thread)
        yield from self.blk.drain(thread)
        yield from self.blk.set_aio_context(thread, self.main)
        yield from self.release_notifiers(thread, self.ports)
        self.started = False
