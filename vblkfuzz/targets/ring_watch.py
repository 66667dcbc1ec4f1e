"""Observes one set-up of one queue's rings through shared memory, and by what the driver tells.

A *life* begins when the driver sets a queue up and ends with a reset. It is watched after its end,
too: S4 is about old rings and old buffers that change. When a life ends, the buffers that the
device could still write belong to the driver again. What they contain then is remembered; a byte
that differs later was written by the device. Nothing is written here: memory is the driver's, which
watches it, too (`driver.memory_watch`), and has filled the buffers of a read with poison.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.driver.forms import form_of
from vblkfuzz.driver.memory_map import slot_at
from vblkfuzz.driver.published import Published

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.driver.request import Segments
    from vblkfuzz.scenario.device import DeviceConfig
    from vblkfuzz.targets.ring_view import RingView
    from vblkfuzz.virtio.memory import GuestMemory

_U16: Final = 0xFFFF


class Request(NamedTuple):
    """A request that the device has dequeued."""

    serial: int
    published: Published


class Life:
    """One set-up of one queue's rings."""

    def __init__(
        self, memory: GuestMemory, config: DeviceConfig, queue: int, epoch: int, view: RingView
    ) -> None:
        """Begin to observe.

        Args:
            memory: guest memory.
            config: the device of the scenario.
            queue: number of the queue.
            epoch: number of resets so far.
            view: its ring.
        """
        first = config.first_index
        self.queue = queue
        self.epoch = epoch
        self.hostile = False
        """The driver broke the protocol, so odd answers of the device are no violation."""
        self.taken = first
        """Dequeues so far: the device's last_avail."""
        self.ended_by = 0
        """Path of the reset that ended it; 0 before that."""
        self.owned: dict[int, Request] = {}
        """Requests that are dequeued and not pushed, by head."""
        self._memory = memory
        self._form = form_of(config)
        self._first = first
        self.view = view
        self._published: list[Published] = []
        self._watched: dict[Segments, tuple[int, bytes]] = {}
        """Serials and contents of the requests that the end of the life has ended."""

    def publish(self, published: Published) -> None:
        """Note that the driver published a request."""
        self._published.append(published)
        self.view.publish(published)

    def waiting(self, head: int) -> bool:
        """Whether `head` was published and its dequeue has not been observed."""
        return any(published.head == head for published in self._not_taken())

    def _not_taken(self) -> list[Published]:
        return self._published[self.taken - self._first & _U16 :]

    def take(self, serial: int) -> Request:
        """Note that the device dequeued the next entry of the avail ring; return the request."""
        waiting = self._not_taken()
        # None waits: the device read beyond what was published, or the avail idx jumped.
        published = waiting[0] if waiting else Published(self.view.beyond(self.taken), 0, ())
        self.view.take(published)
        self.taken = (self.taken + 1) & _U16
        request = Request(serial, published)
        self.owned[published.head] = request
        return request

    def idle(self, new: Sequence[Published]) -> bool:
        """Whether all published requests and `new` ones, not noted here yet, are used."""
        return self.view.idle(self._first + len(self._published), new)

    def status(self, request: Request) -> int:
        """Return the status of a pushed request, as the flag of its PUSH; 0 without one."""
        writable = request.published.writable
        return self._form.status(self._memory, writable) if writable else 0

    # --- After its end ------------------------------------------------------------------------

    def end(self, path: int) -> Sequence[int]:
        """Remember the buffers of all unfinished requests; return the heads of these requests.

        Args:
            path: path of the reset that ends the life.
        """
        self.ended_by = path
        serials = {request.published: request.serial for request in self.owned.values()}
        waiting = self._not_taken()
        for published in (*serials, *waiting):
            if published.writable:
                serial = serials.get(published, 0)
                self._watched[published.writable] = serial, self._content(published.writable)
        return [published.head for published in (*serials, *waiting)]

    def forget(self, writable: Segments) -> None:
        """Stop watching buffers that the driver uses again; all of them if none is given."""
        for watched in list(self._watched):
            if not writable or slot_at(watched[-1][0]) == slot_at(writable[-1][0]):
                del self._watched[watched]

    def written(self) -> list[int]:
        """Return the serials (0: never dequeued) of requests whose buffers were overwritten."""
        watched = self._watched.items()
        dirty = [segments for segments, (_, was) in watched if self._content(segments) != was]
        return [self._watched.pop(segments)[0] for segments in dirty]

    def _content(self, segments: Segments) -> bytes:
        return b"".join([self._memory.read(*segment) for segment in segments])
