"""Small mistakes at edges: at the end of the disk, at the wrap of an index, in a window of a start.

None of them is a planted defect, and the mutator was not written for any. `tests/soak/search.py`
measures how many executions a campaign needs for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz import VirtioBlk
from vblkfuzz.dataplane.thread import NO_STEPS, POINT
from vblkfuzz.limits import SECTOR_SIZE
from vblkfuzz.trace.event import ActorId
from vblkfuzz.virtio.request.blk import BlkStatus, RequestType, cleared_sectors
from vblkfuzz.virtio.split.device_queue import DeviceQueue

if TYPE_CHECKING:
    from vblkfuzz.dataplane.queue_port import QueuePort
    from vblkfuzz.dataplane.request import Request
    from vblkfuzz.dataplane.thread import Steps, Thread


class EndNotCleared(VirtioBlk):
    """A WRITE_ZEROES that ends at the end of the disk is answered, and does nothing."""

    def answer_at_once(self, request: Request) -> BlkStatus | None:
        """Answer it at once."""
        status = super().answer_at_once(request)
        if status is None and request.blk.type == RequestType.WRITE_ZEROES:
            first, sectors, _ = cleared_sectors(self.board.memory, request.blk)
            if first + sectors == self.capacity():
                return BlkStatus.OK
        return status


class EndReadAsZeroes(VirtioBlk):
    """A read of three sectors or more that ends at the end of the disk has zeroes at its end."""

    def finish(self, thread: Thread, request: Request, status: BlkStatus) -> Steps:
        """Clear the end of what was read."""
        blk, data = request.blk, request.data
        sectors = len(data or b"") // SECTOR_SIZE
        ends = blk.type == RequestType.IN and blk.sector + sectors == self.capacity()
        if data and ends and sectors > 2:
            request.data = data[:-SECTOR_SIZE] + bytes(SECTOR_SIZE)
        yield from super().finish(thread, request, status)


class _NoWrap(DeviceQueue):
    def should_call(self) -> bool:
        """Compare indices as if they never wrapped."""
        if not self.ready or not self._event_idx:
            return super().should_call()
        wanted = self._u16[self._avail_ring + self.size]
        old, self.signalled_used = self.signalled_used, self.used_idx
        return old <= wanted < self.used_idx


class CallLostAtWrap(VirtioBlk):
    """With EVENT_IDX a call is lost when the used index wraps."""

    device_queue = _NoWrap


class DropWhenDraining(VirtioBlk):
    """The end of a drained section watches queues before it counts as ended; kicks are dropped."""

    _ending = False

    def drained_end(self, thread: Thread) -> Steps:
        """Watch the queues, then count as ended."""
        self._ending = True
        yield from super().drained_end(thread)
        yield POINT
        self._ending = False

    def handle_output(self, thread: Thread, port: QueuePort) -> Steps:
        """Drop kicks of IOThreads in between."""
        if thread.actor >= ActorId.IO0 and self._ending:
            return NO_STEPS
        return super().handle_output(thread, port)


class DropWhenOtherBusy(VirtioBlk):
    """A kick is dropped in an IOThread while a handler of another queue is running."""

    def handle_output(self, thread: Thread, port: QueuePort) -> Steps:
        """Drop it."""
        if thread.actor >= ActorId.IO0 and self.handlers_running:
            return NO_STEPS
        return super().handle_output(thread, port)
