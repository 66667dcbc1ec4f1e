"""Revision `qemu-9.0`: QEMU of April 2024, and 9.1, 9.2, 10.0, until 8eeaa706ba of 10.2.

It differs from `qemu-10.2` in this:

* a woken request is not in flight before it runs, so a drain that begins in between returns too
  early and the request runs inside it (B7, 8eeaa706ba);
* `set_aio_context` drains only if the AioContext changes (a1ea8eb591 of 10.1).

It is the first release without the AioContext lock (b49f4755c7), with an IOThread per queue
(b6948ab01d), and with an attach that enables kicks and sets the notifier (5bdbaebcce, 52bff01f64).
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
        """Count a woken request as in flight only when it runs, and do not park it again."""

        def resume(runner: Thread) -> Steps:
            yield POINT
            self.in_flight += 1
            self._trace(UNPARK, runner, request)
            self._start(runner, request)

        request.context.schedule(resume)


class Qemu90(Qemu102):
    """virtio-blk of QEMU 9.0."""

    summary: ClassVar[str] = "QEMU 9.0: no AioContext lock; woken requests are counted too late"
    source: ClassVar[str] = "QEMU 9.0, 5bdbaebcce, 52bff01f64"
    block_backend: ClassVar[type[BlockBackend]] = Qemu90BlockBackend
    known: ClassVar[dict[str, str]] = Qemu102.known | {
        "s2": _B7,
        "s7-reset-left_in_use-parked-uncounted": _B7,
        "s7-replug-left_in_use-parked-uncounted": _B7,
        "s16-vm_stop-nowhere-parked-uncounted": _B7,
    }
