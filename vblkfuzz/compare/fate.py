"""The fate of each request, as the guest sees it: status, used.len, data, or never served.

A request is named by itself and all requests before it: if two devices let a driver publish
different requests, those behind are not compared. Nothing is said about a request

* that a reset ended: whether it was served before is a matter of time;
* that was never kicked, or was published to a device without DRIVER_OK;
* of a driver that has broken the protocol since the last reset;
* whose status is up to the device (`Answer.MAY_REFUSE`).

Data is compared only where it does not depend on the order of independent requests
(`compare.settled_sectors`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from zlib import crc32

from vblkfuzz.compare.key import Key
from vblkfuzz.compare.settled_sectors import SettledSectors
from vblkfuzz.scenario.alphabet.shape import REQUESTS, Answer, answer
from vblkfuzz.trace.ending import ENDED_IOERR, ENDED_OK, ENDED_UNSUPP, FOREIGN, WORDS
from vblkfuzz.trace.event import data_name
from vblkfuzz.trace.form import word
from vblkfuzz.trace.kinds import (
    COLLECT,
    DEVICE_ID,
    DRIVER_INIT,
    HOSTILE,
    KICK,
    KINDS,
    PUBLISH,
    PUSH,
    QUEUE_RESET,
    REQUEST,
    RESET_RET,
    SECTOR,
    SHAPE,
)
from vblkfuzz.trace.witness import Witness

if TYPE_CHECKING:
    from vblkfuzz.trace.event import Event

_DRIVER_OK: Final = 1
"""Flag of a DRIVER_INIT."""


@dataclass(slots=True)
class Request:
    """A request that the driver has published."""

    number: int
    code: int
    """Its type, a position in REQUESTS."""
    shape: int
    sectors: range
    free: bool
    """Whether the device may do anything with it."""
    epoch: int = 0
    kicked: bool = False

    def key(self, kind: str, what: str = "") -> Key:
        """Return a place in the guest's view."""
        return Key(kind, self.number, f"{REQUESTS[self.code]}: {what or kind}")


class Fates:
    """Follows all requests of an execution."""

    def __init__(self, witnesses: Witness) -> None:
        self.sights: dict[Key, str] = {}
        self._disk = SettledSectors(known=bool(witnesses & Witness.DISK))
        self._past = 0
        self._shape = 0
        self._made: Request | None = None
        """The request that the next PUBLISH makes available."""
        self._sent: dict[tuple[int, int], Request] = {}
        """By queue and head."""
        self._taken: Request | None = None
        """The request collected last, if its answer is compared."""
        self._free = True
        """Whether there is no device with DRIVER_OK, or the driver has broken the protocol."""
        self._foreign = False

    def note(self, event: Event) -> None:
        """Take the next event."""
        step = _STEPS.get(event.kind)
        if step is not None:
            step(self, event)

    def at_rest(self) -> dict[Key, str]:
        """Return what can be said of a device that is at rest: it serves nothing any more."""
        waiting = [one for one in self._sent.values() if one.kicked and not one.free]
        found = {one.key("status"): "never served" for one in waiting}
        found[Key("used", 0, "used entry without a request")] = "yes" if self._foreign else "no"
        return found

    # --- The driver ---------------------------------------------------------------------------

    def _set_up(self, event: Event) -> None:
        if event.flag:
            self._cut(lambda _queue: True)
            self._free = event.flag != _DRIVER_OK

    def _shaped(self, event: Event) -> None:
        self._shape = event.flag

    def _request(self, event: Event) -> None:
        code, first, more = event.flag, event.value & 0xFF, event.value >> 8
        self._past = crc32(bytes((code, first, more, self._shape, event.queue)), self._past)
        sectors = range(first, first + more + 1)
        self._made = Request(self._past, code, self._shape, sectors, self._free)
        self._shape = 0

    def _publish(self, event: Event) -> None:
        made, self._made = self._made, None
        if made is not None:
            made.epoch = event.epoch
            self._sent[event.queue, event.head] = made
            self._disk.begin(made.number, made.code, made.sectors)

    def _kick(self, event: Event) -> None:
        for (queue, _), request in self._sent.items():
            request.kicked |= queue == event.queue

    def _break(self, _event: Event) -> None:
        self._free = True
        for request in self._sent.values():
            request.free = True
        self._disk.forget()

    def _reset(self, _event: Event) -> None:
        self._cut(lambda _queue: True)

    def _queue_reset(self, event: Event) -> None:
        self._cut(lambda queue: queue == event.queue)

    def _cut(self, ends: Callable[[int], bool]) -> None:
        for place in [place for place in self._sent if ends(place[0])]:
            request = self._sent.pop(place)
            self._disk.doubt(request.number, request.code, request.sectors)

    # --- The device ---------------------------------------------------------------------------

    def _push(self, event: Event) -> None:
        request = self._sent.get((event.queue, event.head))
        if request is not None and request.epoch == event.epoch:
            self._disk.end(request.number)

    def _collect(self, event: Event) -> None:
        self._taken = None
        self._foreign |= event.flag == FOREIGN and not self._free
        request = self._sent.pop((event.queue, event.head), None)
        if request is None:
            return
        if event.flag != ENDED_OK or request.shape:
            self._disk.doubt(request.number, request.code, request.sectors)
        status = "" if request.free else _status(request, event.flag)
        if status:
            self._taken = request
            self.sights[request.key("status")] = status
            self.sights[request.key("used.len")] = f"{event.length} bytes"

    def _sector(self, event: Event) -> None:
        if self._taken is not None and self._disk.settled(event.head):
            mixed = ", mixed" if event.flag else ""
            key = self._taken.key("data", f"content of sector {event.head}")
            self.sights[key] = data_name(event.value) + mixed

    def _device_id(self, event: Event) -> None:
        if self._taken is not None:
            how = word(KINDS[DEVICE_ID].flags, event.flag) or "whole"
            self.sights[self._taken.key("answer")] = f"{how}, {event.value:#06x}"


def _status(request: Request, flag: int) -> str:
    """Return the status of a request; empty if it is up to the device."""
    expected = answer(request.shape, request.code)
    if expected == Answer.MAY_REFUSE:
        return ""
    if expected == Answer.REFUSED and flag in (ENDED_IOERR, ENDED_UNSUPP):
        return "refused"
    return word(WORDS, flag) or "ok"


_STEPS: Final[dict[int, Callable[[Fates, Event], None]]] = {
    DRIVER_INIT: Fates._set_up,
    SHAPE: Fates._shaped,
    REQUEST: Fates._request,
    PUBLISH: Fates._publish,
    KICK: Fates._kick,
    HOSTILE: Fates._break,
    RESET_RET: Fates._reset,
    QUEUE_RESET: Fates._queue_reset,
    PUSH: Fates._push,
    COLLECT: Fates._collect,
    SECTOR: Fates._sector,
    DEVICE_ID: Fates._device_id,
}
