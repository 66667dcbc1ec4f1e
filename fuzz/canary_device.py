"""The canary: the reference device with a bug behind four conditions, one inside the other.

Four writes of an execution must go to four certain sectors, in order. Guessing all of them at once
fails; but each step that is reached runs one more block, in the device process only, so a fuzzer
that sees these blocks gets there one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from vblkfuzz.dataplane.virtio_blk import VirtioBlk
from vblkfuzz.trace.event import ActorId
from vblkfuzz.trace.kinds import PLANTED
from vblkfuzz.virtio.blk import BlkStatus, RequestType

if TYPE_CHECKING:
    from vblkfuzz.dataplane.request import Request


class Canary(VirtioBlk):
    """Emits a PLANTED event, which rule PLANTED reports."""

    summary: ClassVar[str] = "the reference with a planted bug"
    _steps_done = 0

    def answer_at_once(self, request: Request) -> BlkStatus | None:
        """Look at every request that was taken."""
        if request.blk.type == RequestType.OUT:
            self._look(request.blk.sector)
        return super().answer_at_once(request)

    def _look(self, sector: int) -> None:
        # Not joined by `and`, nor a table: each step must be a block of its own.
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
