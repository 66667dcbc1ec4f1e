"""Accesses: the requests of the driver from their REQUEST to their COLLECT, and what they do.

An access begins when the device dequeues it (POP) and ends at its PUSH, or at a reset, which cuts
it off. Its writes go to a model of the disk (`oracle.rules.disk`); a read keeps what it may have
found. Times are positions in a trace. `oracle.rules.data` uses this.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from vblkfuzz.oracle.rules.disk import ANYTHING, ZEROES, Disk, Write
from vblkfuzz.oracle.rules.stable import Stability
from vblkfuzz.scenario.alphabet.guest import REQUESTS
from vblkfuzz.scenario.alphabet.shape import Answer, answer
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.trace.event import Event
from vblkfuzz.virtio.request.blk import F_RO

_IN, _OUT, _FLUSH, _DISCARD, _CLEAR = (
    REQUESTS.index(name) for name in ("in", "out", "flush", "discard", "write_zeroes")
)
RANGED: Final = frozenset({_IN, _OUT, _DISCARD, _CLEAR})
"""Codes of requests that have a range of sectors."""
_WRITES: Final = frozenset({_OUT, _DISCARD, _CLEAR})
SERVED, MAY_REFUSE, _IOERR = int(Answer.SERVED), int(Answer.MAY_REFUSE), int(Answer.IOERR)
"""As plain integers, which are faster to compare."""
_NOTHING: Final[Mapping[int, set[int]]] = {}

Place = tuple[int, int]
"""Queue and head."""


class Access:
    """One request."""

    __slots__ = (
        "allowed",
        "answer",
        "begin",
        "code",
        "data",
        "disk",
        "end",
        "failed",
        "first",
        "pop",
        "pushed",
        "through",
        "unit",
        "writes",
    )

    def __init__(self, request: Event, number: int, answer: int, through: Event | None) -> None:
        self.code = code = request.flag
        self.data = number
        """Data that it writes, if it is an OUT."""
        self.answer = answer
        """How it has to be answered: an `Answer`."""
        self.through = through
        """Since when the cache mode was writethrough when it was made available, if it was."""
        sectors = request.value
        self.first = first = sectors & 0xFF
        ranged = code in RANGED and answer <= MAY_REFUSE
        self.end = first + (sectors >> 8) + 1 if ranged else 0
        """First sector after the request; 0 if it has no range or must be refused."""
        self.unit: int
        """The logical unit that it is for, and the disk of that."""
        self.disk: Disk
        self.pop: Event
        self.begin: int
        """Time of its pop."""
        self.failed = False
        """Whether the backend ended it with an error, whatever its status."""
        self.writes: Sequence[Write] = ()
        self.pushed: int
        """Time of its push."""
        self.allowed = _NOTHING
        """Data that a read may have found at its push, by sector."""

    def cut(self, reset: Event, time: int) -> None:
        """End it by a reset: it takes effect before this or never."""
        for write in self.writes:
            write.ends(time, reset, sure=False)
            write.cut = True


class Accesses:
    """All accesses, in the order of a trace."""

    __slots__ = (
        "_capacities",
        "_device",
        "_disks",
        "_number",
        "_read_only",
        "asked",
        "least",
        "pushed",
        "running",
        "shape",
        "stability",
    )

    def __init__(self, device: DeviceConfig, disks: Sequence[Disk]) -> None:
        """Begin; `disks` are those of the units of the device."""
        self._device = device
        capacity = device.disk_sectors
        self._capacities = [(capacity, -1)]
        """Each capacity of the first disk, with the time of its beginning; others keep theirs."""
        self.least = capacity
        """The least of them."""
        self._disks = disks
        self._number = 0
        """How many REQUESTs there were."""
        self._read_only = False
        self.stability = Stability()
        self.shape = 0
        """Shape of the next REQUEST."""
        self.asked: dict[Place, Access] = {}
        """Published, by queue and head."""
        self.running: dict[int, Access] = {}
        """Popped and not pushed, by serial."""
        self.pushed: dict[Place, Access] = {}
        """Pushed and not collected, by queue and head."""

    def ask(self, request: Event) -> None:
        """Note a REQUEST, whose head stands for this request from now on."""
        self._number = number = self._number + 1
        place = request.queue, request.head
        answer = self._answer(request) if self.shape or self._read_only else SERVED
        self.asked[place] = access = Access(request, number, answer, self.stability.mode.since)
        access.unit = unit = self._device.unit_of(access.first)
        access.disk = self._disks[unit]
        # The last request with this head was collected, maybe before its PUSH was observed.
        if place in self.pushed:
            del self.pushed[place]

    def _answer(self, request: Event) -> int:
        """Return how a request has to be answered that has a shape, or is for a read-only disk."""
        shape, self.shape = self.shape, 0
        if self._read_only and request.flag in _WRITES:
            return _IOERR
        return int(answer(shape, request.flag))

    def begin(self, pop: Event, time: int) -> None:
        """Begin the access of a POP."""
        access = self.asked.pop((pop.queue, pop.head), None)
        if access is None:
            return
        self.running[pop.request] = access
        access.pop, access.begin = pop, time
        code = access.code
        if code in _WRITES and access.end:
            data = access.data if code == _OUT else ANYTHING if code == _DISCARD else ZEROES
            access.writes = access.disk.begin(access.first, access.end, data, time, pop)

    def ended(self, push: Event, time: int) -> Access | None:
        """End the access of a PUSH, and return it; None if its POP was not observed."""
        access = self.running.pop(push.request, None)
        if access is None:
            return None
        self.pushed[push.queue, push.head] = access
        access.pushed = time
        code = access.code
        if code == _IN:
            access.allowed = access.disk.may_find(access.first, access.end, access.begin)
            return access
        well = not push.flag and not access.failed
        for write in access.writes:  # a discarded sector may have any content
            write.ends(time, push, sure=well and code != _DISCARD)
            write.stable = self.stability.of(access.through)
        if code == _FLUSH and well:
            access.disk.flush(access.begin, push)
        return access

    def capacities(self, access: Access) -> tuple[int, int]:
        """Return the least and the greatest capacity that its disk has had since it began."""
        begin = access.begin
        if access.unit:
            return self._device.disk_sectors, self._device.disk_sectors
        later = [sectors for sectors, since in self._capacities if since > begin]
        before = [sectors for sectors, since in self._capacities if since <= begin]
        had = [before[-1], *later]
        return min(had), max(had)

    def features(self, event: Event) -> None:
        """Note what the device has offered and the driver accepted."""
        self.stability.features(event)
        self._read_only = bool(event.head >> F_RO & 1)

    def resize(self, sectors: int, time: int) -> None:
        """Give the first disk another capacity."""
        self._capacities.append((sectors, time))
        self.least = min(self.least, sectors)
        self._disks[0].resize(sectors, time)

    def lose_power(self) -> None:
        """Doubt all running requests: each took effect before the loss of power or after it."""
        for serial, access in list(self.running.items()):
            access.failed = True  # until it ends after this; a read may have run before
            if access.code == _IN:
                del self.running[serial]

    def reset(self, event: Event, time: int) -> None:
        """Cut off all running requests."""
        for access in self.running.values():
            access.cut(event, time)
        self.running.clear()
        self.asked.clear()
        self.pushed.clear()

    def reset_queue(self, event: Event, time: int) -> None:
        """Cut off the running requests of one queue."""
        queue = event.queue
        for request, access in list(self.running.items()):
            if access.pop.queue == queue:
                self.running.pop(request).cut(event, time)
        for known in (self.asked, self.pushed):
            for place in [place for place in known if place[0] == queue]:
                del known[place]
