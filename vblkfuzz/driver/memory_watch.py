"""The driver's watch over guest memory: it notices what the device must not write.

A device may write the used ring of a queue that is set up (or, of a packed ring, the descriptors
that it returns), and the writable buffers of a request from its chain to its used entry, or to the
reset that ends it (virtio 1.2, 2.7.4, 2.7.5.1, 2.7.8, 2.8, 2.4). The watch keeps an *image*: guest
memory as the driver knows it. The driver copies into it what it has written itself, and what the
device may write is copied before each comparison. So any other difference is a write that virtio
forbids: past a buffer or before it, into memory that the device may only read, into rings or
buffers that a reset or the driver has taken back, or into memory that was never the device's. It is
recorded as MEMORY_CHANGED, once.

The driver looks before it writes a request, when it collects, and when a reset has returned. It
needs no event of the device, so the same code watches the model and real devices. A real device
may write what it may at any time, also during a comparison.

Not noticed:

* a write of the bytes that are there already. So the driver fills the data buffers of a collected
  request with poison; a status that is written twice stays unnoticed;
* a write into buffers that a later request has made writable;
* what a real device writes into descriptors of a packed ring. It may be returning some during the
  comparison, several at once, and the flags of the first of them come last;
* what hostile ring contents allow (`hostile.opened`), until their queue is reset;
* a change of the rings while the driver makes a request available;
* at once: a write into the memory of queues that are not in use. Resets look there.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

from vblkfuzz.driver.memory_map import end_of
from vblkfuzz.driver.place_of import Change, Key, Loan, Memory
from vblkfuzz.limits import GUEST_MEMORY_SIZE
from vblkfuzz.trace.event import NO_QUEUE, ActorId
from vblkfuzz.trace.kinds import MEMORY_CHANGED
from vblkfuzz.trace.place import Place
from vblkfuzz.virtio.store_buffer import differences

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vblkfuzz.driver.request import Segments
    from vblkfuzz.driver.sent import Sent
    from vblkfuzz.trace.ring import TraceRing
    from vblkfuzz.virtio.memory import GuestMemory
    from vblkfuzz.virtio.queue import Areas, DriverQueue

_POISON: Final = memoryview(b"\xff" * GUEST_MEMORY_SIZE)
"""Fills buffers that the driver has taken back: no request writes this byte (`sector_data`)."""
_ACTOR: Final = int(ActorId.GUEST)
"""The actor of its events."""
_COLLECTED: Final = Place.COLLECTED
_UNUSED: Final = Place.UNUSED
_ZEROES: Final = bytearray(GUEST_MEMORY_SIZE)
_JOINED: Final = 16
"""Changes with at most so many unchanged bytes in between are one: the device wrote there what was
there before."""


class MemoryWatch:
    """Knows what guest memory must contain."""

    def __init__(
        self,
        memory: GuestMemory,
        ring: TraceRing,
        queues: int,
        status_at: int = -1,
        in_turns: bool = False,
    ) -> None:
        """Begin with zeroed guest memory, for a driver of so many queues.

        Args:
            memory: it.
            ring: where changes are recorded.
            queues: number of the queues.
            status_at: as in `driver.request.RequestForm`.
            in_turns: as in `driver.transport.Transport`.
        """
        self._status_at = status_at
        end = end_of(queues)
        self._found = memory.bytes[:end]
        self._image = bytearray(end)
        self._expected = memoryview(self._image)
        self._beyond = memory.bytes[end:]
        """Memory of queues that are not in use."""
        self._ring = ring
        self._in_turns = in_turns
        self._owned: dict[int, slice] = {}
        """What the driver writes, by queue: descriptor table and available ring; of a packed ring
        its event suppression, and in turns the descriptors."""
        self._returning: dict[int, DriverQueue] = {}
        """Queues whose device writes some of that when it returns requests."""
        self._used: dict[int, tuple[slice, ...]] = {}
        """Used ring or device area, if not in turns with the descriptors of a packed ring; and what
        hostile contents let the device write, by queue."""
        self._loans: dict[Key, Loan] = {}
        """Requests in use, by queue and head."""
        self._ended: list[tuple[Key, Loan, Place]] = []
        """Requests that have ended, and what has ended them."""
        self._rings: dict[Areas, tuple[int, Place]] = {}
        """The last set-up of these rings: queue, and what has ended it."""

    # --- Looking ------------------------------------------------------------------------------

    def look(self) -> None:
        """Compare guest memory with the image; record each change, once."""
        found, expected = self._found, self._expected
        for slices in self._used.values():
            for each in slices:
                expected[each] = found[each]
        for loan in self._loans.values():
            for each in loan[0]:
                expected[each] = found[each]
        for ring in self._returning.values():
            for each in ring.returned():
                expected[each] = found[each]
        if self._image != found:
            self._look_closely(found.tobytes())

    def look_everywhere(self) -> None:
        """Look also at the memory of queues that are not in use: once, in the end.

        It is much memory to look at, and the driver writes nothing there, so no change is lost.
        """
        self.look()
        if not _ZEROES.startswith(self._beyond):
            if not self._beyond_open():
                self._ring.emit(MEMORY_CHANGED, _ACTOR, NO_QUEUE, _UNUSED)
            self._beyond[:] = bytes(len(self._beyond))

    def _beyond_open(self) -> bool:
        """Whether hostile contents let the device write there."""
        end = len(self._image)
        return any(each.stop > end for slices in self._used.values() for each in slices)

    def look_at_ring(self, queue: int) -> None:
        """Look, if the driver's part of a ring has changed: it is about to write there."""
        owned = self._owned[queue]
        if self._image[owned] != self._found[owned]:
            self.look()

    def look_at(self, queue: int, area: slice) -> None:
        """Look, if an area, of which nothing is lent, or a ring has changed."""
        owned, image, found = self._owned[queue], self._image, self._found
        if image[area] != found[area] or image[owned] != found[owned]:
            self.look()

    def _look_closely(self, found: bytes) -> None:
        """Record the changes; `found`: memory at one moment, as the device may be writing."""
        now = memoryview(found)
        for slices in (*self._used.values(), *(loan[0] for loan in self._loans.values())):
            for each in slices:  # again, from that moment
                self._expected[each] = now[each]
        seen: set[tuple[Place, int, int]] = set()
        for place, queue, head, offset in self._changes(found):
            if (place, queue, head) not in seen:
                seen.add((place, queue, head))
                self._ring.emit(MEMORY_CHANGED, _ACTOR, queue, place, head, 0, 0, offset & 0xFFFF)
        self._expected[:] = found

    def _changes(self, found: bytes) -> Iterator[Change]:
        different = differences(found, self._image, 0, len(found))
        if different:
            memory = Memory(self._loans, self._ended, self._rings)
            for start, end in _joined(at for at, _ in different):
                yield memory.place_of(start, end)

    # --- What the driver does -----------------------------------------------------------------

    def set_up(self, queue: int, layout: Areas, ring: DriverQueue) -> None:
        """The driver has zeroed the rings of a queue and gives them to the device."""
        whole, self._owned[queue], self._used[queue] = _parts(layout, self._in_turns)
        if self._in_turns and _is_shared(layout):
            self._returning[queue] = ring
        self._expected[whole] = self._found[whole]
        self._rings[layout] = (queue, _UNUSED)

    def wrote_ring(self, queue: int) -> None:
        """The driver has written its part of the rings of a queue."""
        self.wrote(self._owned[queue])

    def wrote(self, area: slice) -> None:
        """The driver has written other memory of its own."""
        self._expected[area] = self._found[area]

    def lend(self, key: Key, sent: Sent) -> None:
        """The driver has made a request available: the device may write its writable buffers.

        Args:
            key: queue and head.
            sent: the request.
        """
        found, expected, owned, area = self._found, self._expected, self._owned[key[0]], sent.area
        expected[owned] = found[owned]
        expected[area] = found[area]
        self._loans[key] = (_slices(sent.buffers[1]), sent)

    def open(self, queue: int, segments: Segments) -> None:
        """The driver has written hostile contents, which let the device write `segments`.

        Where it then returns requests of a packed ring is not known.
        """
        self.wrote_ring(queue)
        self._used[queue] += _slices(segments)
        if self._returning.pop(queue, None):
            self._used[queue] += (self._owned[queue],)

    def take_back(self, key: Key) -> None:
        """The driver has collected a request, and has read its answer.

        The status stays, for those who look at memory from outside.
        """
        found, expected = self._found, self._expected
        loan = self._loans.pop(key)
        writable = loan[0]
        status = writable[self._status_at]
        expected[status] = found[status]
        for each in writable:
            if each is not status:
                found[each] = expected[each] = _POISON[: each.stop - each.start]
        self._ended.append((key, loan, _COLLECTED))

    # --- Resets -------------------------------------------------------------------------------

    def reset(self) -> None:
        """A reset of the device has returned: all memory is the driver's."""
        self.look()
        for queue in list(self._owned):
            self._take_all(queue, Place.AFTER_RESET, Place.RINGS_AFTER_RESET)

    def reset_queue(self, queue: int) -> None:
        """The reset of a queue has returned."""
        self.look()
        self._take_all(queue, Place.AFTER_QUEUE_RESET, Place.RINGS_AFTER_QUEUE_RESET)

    def _take_all(self, queue: int, requests: Place, rings: Place) -> None:
        for key in [key for key in self._loans if key[0] == queue]:
            self._ended.append((key, self._loans.pop(key), requests))
        del self._owned[queue], self._used[queue]
        self._returning.pop(queue, None)
        for layout, (of, ended) in self._rings.items():
            if of == queue and not ended:
                self._rings[layout] = (of, rings)


@cache
def _parts(layout: Areas, in_turns: bool) -> tuple[slice, slice, tuple[slice, ...]]:
    """Return the whole of the rings, the driver's part, and the device's part."""
    driver, device, shared = layout.driver_part(), layout.device_part(), layout.shared_part()
    whole = slice(layout.desc, layout.end)
    if in_turns or not _is_shared(layout):
        return whole, slice(min(driver.start, shared.start), driver.stop), (device,)
    return whole, driver, (shared, device)


def _is_shared(layout: Areas) -> bool:
    shared = layout.shared_part()
    return bool(shared.stop > shared.start)


@lru_cache(maxsize=4096)
def _slices(segments: Segments) -> tuple[slice, ...]:
    return tuple([slice(address, address + length) for address, length in segments])


def _joined(addresses: Iterable[int]) -> list[tuple[int, int]]:
    """Return ascending addresses as ranges: first address, and the one after the last."""
    ranges: list[tuple[int, int]] = []
    for at in addresses:
        if ranges and at - ranges[-1][1] <= _JOINED:
            ranges[-1] = ranges[-1][0], at + 1
        else:
            ranges.append((at, at + 1))
    return ranges
