"""Revision `qemu-9.0`: QEMU of April 2024, and 9.1, 9.2, 10.0, until 8eeaa706ba of 10.2.

What it has not yet, compared with `qemu-10.2`:

* a woken parked request is not counted before it runs, so a drain that begins in between returns
  too early and the request runs inside it (B7, 8eeaa706ba);
* only a real change of the AioContext drains (a1ea8eb591 of 10.1).

It is the first release without AioContext lock (b49f4755c7), with IOThreads for single queues
(b6948ab01d), and with an attach that asks for kicks and kicks itself (5bdbaebcce, 52bff01f64).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from vblkfuzz.dataplane.block_backend import BlockBackend
from vblkfuzz.dataplane.revisions.qemu_10_2 import Qemu102
from vblkfuzz.dataplane.thread import POINT, Steps, Thread
from vblkfuzz.trace.kinds import UNPARK

if TYPE_CHECKING:
    from vblkfuzz.dataplane.request import Request


_B7: Final = "8eeaa706ba: a woken request is not counted before it runs (B7)"


class Qemu90BlockBackend(BlockBackend):
    """BlockBackend until 10.1."""

    def _wake(self, request: Request) -> None:
        """Only the woken coroutine counts itself, and it does not look at the drain again."""

        def resume(runner: Thread) -> Steps:
            yield POINT
            self.in_flight += 1
            self._tell(UNPARK, runner, request)
            self._start(runner, request)

        request.context.schedule(resume)


class Qemu90(Qemu102):
    """virtio-blk of QEMU 9.0."""

    summary: ClassVar[str] = "QEMU 9.0: no AioContext lock; woken requests count late"
    source: ClassVar[str] = "QEMU 9.0, 5bdbaebcce, 52bff01f64"
    block_backend: ClassVar[type[BlockBackend]] = Qemu90BlockBackend
    known: ClassVar[dict[str, str]] = Qemu102.known | {
        "s2": _B7,
        "s7-reset-left_in_use-parked-uncounted": _B7,
        "s16-vm_stop-nowhere-parked-uncounted": _B7,
    }
