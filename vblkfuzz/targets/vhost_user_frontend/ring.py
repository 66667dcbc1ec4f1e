"""One ring of a session: its state in the protocol, and the device's end of its queue.

    stopped   there is no kick file, or GET_VRING_BASE has come since
    started   SET_VRING_KICK has come; requests are taken if the ring is enabled, too

It takes what is available when it starts: a back-end must not expect a kick for that ("Ring
states"). Requests in flight are noted; the back-end that starts the ring next submits them again.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.virtio.chain import walk_chain
from vblkfuzz.virtio.layout import F_EVENT_IDX, F_INDIRECT_DESC, RingLayout
from vblkfuzz.virtio.request.blk import parse_request
from vblkfuzz.virtio.ring_error import RingError
from vblkfuzz.virtio.split.device_queue import DeviceQueue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vblkfuzz.targets.vhost_user_frontend.disk import Disk
    from vblkfuzz.targets.vhost_user_frontend.notes import Notes
    from vblkfuzz.virtio.memory import GuestMemory
    from vblkfuzz.virtio.request.blk import BlkRequest

_U16: Final = 0xFFFF


class Taken(NamedTuple):
    """A request that the back-end has taken."""

    ring: Ring
    head: int
    request: BlkRequest


class Ring:
    """Ring number `index` of a session."""

    def __init__(self, index: int, disk: Disk) -> None:
        self.index: Final = index
        self.disk: Final = disk
        self.size = 0
        self.areas: tuple[int, int, int] | None = None
        """Guest addresses of descriptor table, available ring and used ring."""
        self.base = 0
        """As SET_VRING_BASE says, until the ring starts."""
        self.enabled = False
        self.queue: DeviceQueue | None = None
        """The running queue; None: it is stopped or disabled."""
        self.broken = False
        """Its content breaks the protocol: nothing is taken until it is started again."""
        self.kick = self._call = -1
        self._notes: Notes | None = None

    @property
    def started(self) -> bool:
        """Whether SET_VRING_KICK has come, and no GET_VRING_BASE since."""
        return self.kick >= 0

    @property
    def listens(self) -> bool:
        """Whether a kick makes the back-end take requests."""
        return self.queue is not None and self.enabled and not self.broken

    @property
    def memory(self) -> GuestMemory:
        """Guest memory, while it runs."""
        assert self.queue is not None
        return self.queue.memory

    def close(self) -> None:
        """Close its files."""
        self.set_kick(-1)
        self.set_call(-1)

    def set_kick(self, fd: int) -> None:
        """Take the eventfd of kicks; -1: none."""
        if self.kick >= 0:
            os.close(self.kick)
        self.kick = fd

    def set_call(self, fd: int) -> None:
        """Take the eventfd of calls; -1: none."""
        if self._call >= 0:
            os.close(self._call)
        self._call = fd

    def stop(self) -> int:
        """Stop it (GET_VRING_BASE); return the index of the next entry to take."""
        if self.queue is not None:
            self.base = self.queue.last_avail
        self.queue, self.broken = None, False
        self.set_kick(-1)
        return self.base

    def begin(self, memory: GuestMemory, features: int, notes: Notes | None) -> list[Taken]:
        """Begin to run; return the requests in flight, which are submitted again."""
        self.queue, self._notes, self.broken = None, notes, False
        if self.areas is None:
            self.broken = True
            return []
        layout = RingLayout(self.size, *self.areas)
        queue = DeviceQueue(memory, self.index)
        indirect = bool(features >> F_INDIRECT_DESC & 1)
        try:
            queue.set_up(layout, event_idx=bool(features >> F_EVENT_IDX & 1), indirect=indirect)
            queue.go_on_at(self.base)
            again = list(self._in_flight(queue, layout, indirect=indirect))
        except RingError:
            self.broken = True
            return []
        self.queue = queue
        return again

    def _in_flight(
        self, queue: DeviceQueue, layout: RingLayout, *, indirect: bool
    ) -> Iterator[Taken]:
        """Yield the requests that are noted; they come before the next entry to take.

        Raises:
            RingError: the ring breaks the protocol.
        """
        heads = self._notes.heads(self.index) if self._notes else []
        if heads:
            queue.go_on_at((queue.used_idx + len(heads)) & _U16)
        for head in heads:
            chain = walk_chain(queue.memory, layout, head, indirect)
            yield Taken(self, head, parse_request(queue.memory, chain))

    def take(self) -> Iterator[Taken]:
        """Take all that is available; each is noted when it is yielded."""
        queue = self.queue
        if queue is None or not self.listens:
            return
        try:
            while not queue.empty():
                queue.set_notification(False)
                while (chain := queue.pop()) is not None:
                    request = parse_request(queue.memory, chain)
                    if self._notes:
                        self._notes.add(self.index, chain.head)
                    yield Taken(self, chain.head, request)
                queue.set_notification(True)
        except RingError:
            self.broken = True

    def push(self, head: int, length: int) -> None:
        """Return a request, and call the driver if it asks for that."""
        queue = self.queue
        if queue is None:
            return
        queue.push(head, length)
        if self._notes:
            self._notes.remove(self.index, head)
        if queue.should_call() and self._call >= 0:
            with suppress(BlockingIOError):  # a call is pending
                os.eventfd_write(self._call, 1)
