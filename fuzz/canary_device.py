"""The canary: the reference device with a bug behind four nested conditions.

Four writes of an execution must go to four given sectors, in order. Random inputs practically never
meet all four. Each step that is reached runs one more block of code, in the device process only, so
a fuzzer with coverage of these blocks gets there step by step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.trace.event import ActorId
from vblkfuzz.trace.kinds import PLANTED
from vblkfuzz.virtio.request.blk import BlkStatus, RequestType

if TYPE_CHECKING:
    from vblkfuzz.dataplane.request import Request


class Canary(VirtioBlk):
    """The reference device that emits PLANTED after the four writes; rule PLANTED reports it."""

    summary: ClassVar[str] = "the reference with a planted bug"
    _steps_done = 0

    def answer_at_once(self, request: Request) -> BlkStatus | None:
        """Check the sector of every write that is popped."""
        if request.blk.type == RequestType.OUT:
            self._check(request.blk.sector)
        return super().answer_at_once(request)

    def _check(self, sector: int) -> None:
        # Neither joined by `and` nor a table: each step must be a block of its own.
        if self._steps_done == 0:
            if sector == 0:
                self._steps_done = 1
        elif self._steps_done == 1:
            if sector == 1:
                self._steps_done = 2
        elif self._steps_done == 2:
            if sector == 0:
                self._steps_done = 3
        elif sector == 0:
            self.board.ring.emit(PLANTED, ActorId.MAIN)
