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

from vblkfuzz.targets.vhost.vring_base import base_at, go_on_at
from vblkfuzz.virtio.device_rings import DeviceRings
from vblkfuzz.virtio.layout import F_INDIRECT_DESC
from vblkfuzz.virtio.packed.device_queue import DeviceQueue as PackedQueue
from vblkfuzz.virtio.request.blk import parse_request
from vblkfuzz.virtio.ring_error import RingError
from vblkfuzz.virtio.split.device_queue import DeviceQueue as SplitQueue

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vblkfuzz.targets.vhost_user_frontend.disk import Disk
    from vblkfuzz.targets.vhost_user_frontend.notes import Notes
    from vblkfuzz.virtio.chain import Chain
    from vblkfuzz.virtio.memory import GuestMemory
    from vblkfuzz.virtio.queue import DeviceQueue
    from vblkfuzz.virtio.request.blk import BlkRequest


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
        """Guest addresses of descriptor, driver and device area."""
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
        """Stop it (GET_VRING_BASE); return where it is."""
        if self.queue is not None:
            self.base = base_at(self.queue)
        self.queue, self.broken = None, False
        self.set_kick(-1)
        return self.base

    def begin(self, memory: GuestMemory, features: int, notes: Notes | None) -> list[Taken]:
        """Begin to run; return the requests in flight, which are submitted again."""
        self.queue, self._notes, self.broken = None, notes, False
        if self.areas is None:
            self.broken = True
            return []
        rings = DeviceRings(SplitQueue(memory, self.index), lambda: PackedQueue(memory, self.index))
        try:
            queue = rings.set_up((self.size, *self.areas), features)
            chains = self._go_on(queue, indirect=bool(features >> F_INDIRECT_DESC & 1))
            again = [Taken(self, each.head, parse_request(memory, each)) for each in chains]
        except RingError:
            self.broken = True
            return []
        self.queue = queue
        return again

    def _go_on(self, queue: DeviceQueue, *, indirect: bool) -> Sequence[Chain]:
        """Let a queue go on; return the requests that are noted.

        Raises:
            RingError: the ring breaks the protocol.
        """
        if self._notes is not None:
            return self._notes.begin(queue, self.base, indirect=indirect)
        go_on_at(queue, self.base)
        return ()

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
                        self._notes.add(queue, chain)
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
            self._notes.remove(queue, head)
        if queue.should_call() and self._call >= 0:
            with suppress(BlockingIOError):  # a call is pending
                os.eventfd_write(self._call, 1)
