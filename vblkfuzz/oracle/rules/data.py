"""The rule of data: S14.

The n-th request of the driver writes the data n, so the data that a read finds (SECTOR) identifies
the request that wrote it. A request runs from its pop to its push; requests whose times overlap may
take effect in any order. `oracle.rules.disk` computes the data that a read may find. A read that
the backend has failed, and that ended OK all the same, finds such data or has left its buffer as it
was. On the model the disk itself is compared in the end (DISK), so that a mistake in a sector that
no read shows is found, too. The rule also covers requests beyond the end of a resized disk. Source:
virtio 1.2, 5.2.6; QEMU virtio_blk_sect_range_ok, blk_check_byte_request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.oracle.rules.disk import ANYTHING, ZEROES, Disk, Write
from vblkfuzz.scenario.alphabet.guest import REQUESTS
from vblkfuzz.scenario.alphabet.shape import Answer, answer
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import UNTOUCHED, Event
from vblkfuzz.trace.kinds import (
    COLLECT,
    DISK,
    FEATURES,
    FLUSHED,
    HOSTILE,
    IO_DONE,
    POP,
    POWER_LOSS,
    PUSH,
    QUEUE_RESET,
    REQUEST,
    RESET_RET,
    RESIZE,
    SECTOR,
    SHAPE,
)
from vblkfuzz.trace.witness import Witness
from vblkfuzz.virtio.blk import F_FLUSH, F_RO

READ_BACK = Situation("data_read_back", "A read found what a request had written.")
READ_BESIDE = Situation("read_beside_write", "A read could find the data of several requests.")
AT_REST = Situation("disk_at_rest", "The disk held what a request had written at the end.")
READ_LATER = Situation("data_read_after_reset", "A read found data of an earlier epoch.")
READ_AFTER_LOSS = Situation(
    "data_read_after_power_loss", "A read after a loss of power found data."
)
READ_STABLE = Situation(
    "data_read_after_power_loss_without_flush",
    "A read after a loss of power found data that was written without F_FLUSH.",
)
RESIZE_IN_USE = Situation("resize_with_request_in_use", "A resize met a request in use.")

_IN, _OUT, _FLUSH, _DISCARD, _CLEAR = (
    REQUESTS.index(name) for name in ("in", "out", "flush", "discard", "write_zeroes")
)
_RANGED: Final = frozenset({_IN, _OUT, _DISCARD, _CLEAR})
_WRITES: Final = frozenset({_OUT, _DISCARD, _CLEAR})
_OK, _IOERR, _NO_STATUS = 0, 1, 4
_SHOWS: Final = frozenset({SECTOR, DISK})


@rule(
    "S14",
    title="A read finds what was written last; a flush, or its end if the driver has declined "
    "F_FLUSH, makes it last; the capacity is respected.",
    source="virtio 1.2, 5.2.5.2, 5.2.6.2; QEMU virtio_blk_sect_range_ok, blk_check_byte_request",
    instead="A write takes effect between its dequeue and its push, or never, and before a flush.",
    needs=(
        FEATURES,
        SHAPE,
        REQUEST,
        POP,
        IO_DONE,
        PUSH,
        COLLECT,
        SECTOR,
        DISK,
        FLUSHED,
        HOSTILE,
        QUEUE_RESET,
        RESET_RET,
        RESIZE,
        POWER_LOSS,
    ),
    situations=(
        READ_BACK,
        READ_BESIDE,
        READ_LATER,
        READ_AFTER_LOSS,
        READ_STABLE,
        RESIZE_IN_USE,
        AT_REST,
    ),
    witnesses=Witness.GUEST | Witness.MEMORY | Witness.POP | Witness.DISK,
    handlers_alike=True,
    leads_to=("S14",),
    leads_to_in={"refused": ("S21",)},
)
def S14(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """The rule stops when the guest breaks the protocol: its requests are undefined then."""
    shown = frozenset([event.head for event in events if event.kind in _SHOWS])
    books = _Books(scenario.device.disk_sectors, Disk(events[0], shown), report)
    asked, running, pushed = books.asked, books.running, books.pushed
    requests = 0
    for time, event in enumerate(events):
        kind = event.kind
        if kind == REQUEST:
            requests += 1
            place = (event.queue, event.head)
            asked[place] = (event, requests, books.answer(event))
            # The last request with this head was collected, maybe before its PUSH was observed.
            pushed.pop(place, None)
        elif kind == IO_DONE:
            access = running.get(event.request)
            if access is not None:
                access.failed = event.flag != 0
        elif kind == POP:
            books.pop(event, time)
        elif kind == PUSH:
            books.push(event, time)
        elif kind == COLLECT:
            books.collect(event)
        elif kind == SECTOR:
            books.sector(event)
        elif kind == DISK:
            books.disk(event, time)
        elif kind == HOSTILE:
            return
        elif kind == SHAPE:
            books.shape = event.flag
        else:
            _RARE[kind](books, event, time)


class _Access:
    """One request, from its pop on."""

    __slots__ = (
        "allowed",
        "answer",
        "begin",
        "code",
        "end",
        "failed",
        "first",
        "high",
        "low",
        "pop",
        "pushed",
        "writes",
    )

    def __init__(
        self, request: Event, answer: Answer, pop: Event, begin: int, capacity: int
    ) -> None:
        self.code = request.flag
        self.answer = answer
        self.first = request.value & 0xFF
        ranged = self.code in _RANGED and answer <= Answer.MAY_REFUSE
        self.end = self.first + (request.value >> 8) + 1 if ranged else 0
        """First sector after the request; 0 if it has no range or must be refused."""
        self.pop = pop
        self.begin = begin
        """Time of its pop."""
        self.low = self.high = capacity
        """The least and the greatest capacity since its pop."""
        self.failed = False
        """Whether the backend ended it with an error, whatever its status."""
        self.writes: Sequence[Write] = ()
        self.pushed = 0
        """Time of its push."""
        self.allowed: Mapping[int, set[int]] = _NOTHING
        """Data that a read may have found at its push, by sector."""


_NOTHING: Final[Mapping[int, set[int]]] = {}


class _Books:
    """Requests under way, and the disk."""

    def __init__(self, capacity: int, disk: Disk, report: Report) -> None:
        self._report = report
        self._disk = disk
        self._capacity = capacity
        self._resize: Event | None = None
        self._power_lost = False
        self._stable = False
        """Whether a write is stable when it ends: F_FLUSH was offered and not accepted."""
        self._reset_at = -1
        self._read_only = False
        self.shape = 0
        """Shape of the next REQUEST."""
        self.asked: dict[tuple[int, int], tuple[Event, int, Answer]] = {}
        """Published, by queue and head: REQUEST, the data it writes, how it has to be answered."""
        self.running: dict[int, _Access] = {}
        """Popped and not pushed, by serial."""
        self.pushed: dict[tuple[int, int], _Access] = {}
        """Pushed and not collected, by queue and head."""
        self._collected: _Access | None = None

    def answer(self, request: Event) -> Answer:
        """Return how a request has to be answered."""
        shape, self.shape = self.shape, 0
        if self._read_only and request.flag in _WRITES:
            return Answer.IOERR
        return answer(shape, request.flag) if shape else Answer.SERVED

    def pop(self, event: Event, time: int) -> None:
        asked = self.asked.pop((event.queue, event.head), None)
        if asked is None:
            return
        request, number, answer = asked
        access = _Access(request, answer, event, time, self._capacity)
        self.running[event.request] = access
        if access.code in _WRITES and access.end:
            data = {_OUT: number, _DISCARD: ANYTHING}.get(access.code, ZEROES)
            access.writes = self._disk.begin(access.first, access.end, data, time, event)

    def push(self, event: Event, time: int) -> None:
        access = self.running.pop(event.request, None)
        if access is None:
            return
        self.pushed[event.queue, event.head] = access
        access.pushed = time
        if access.code == _IN:
            access.allowed = self._disk.may_find(access.first, access.end, access.begin)
        well = event.flag == _OK and not access.failed
        for write in access.writes:  # a discarded sector may have any content
            write.ends(time, event, sure=well and access.code != _DISCARD)
            write.stable = self._stable
        if well and access.code == _FLUSH:
            self._disk.flush(access.begin, event)
        if access.answer > Answer.MAY_REFUSE:
            return  # S29 and S30 are about the others
        if access.code in _RANGED and (access.end > access.high or event.flag == _IOERR):
            self._check_capacity(access, event)

    def _check_capacity(self, access: _Access, push: Event) -> None:
        """A request beyond the end is refused, whatever becomes of errors; others are not."""
        if push.flag == _OK:
            what, sectors, state = "ended well", access.high, "beyond_end"
        elif (
            push.flag == _IOERR
            and access.end <= access.low
            and not (access.answer or access.failed)
        ):
            what, sectors, state = "was refused", access.low, "refused"
        else:
            return
        first = self._resize or access.pop
        sentence = (
            f"Request {push.request}, of the sectors below {access.end}, {what} at turn "
            f"{push.turn}, although the disk had {sectors} (turn {first.turn})."
        )
        self._report.violation(first, push, sentence, state)

    def collect(self, event: Event) -> None:
        self._collected = self.pushed.pop((event.queue, event.head), None)
        if event.flag == _NO_STATUS and self._collected is not None:
            pop = self._collected.pop
            sentence = (
                f"The guest found no status at turn {event.turn} for a request that was dequeued "
                f"at turn {pop.turn} and pushed."
            )
            self._report.violation(pop, event, sentence, "no_status")

    def sector(self, event: Event) -> None:
        access = self._collected
        if access is None or ANYTHING in (allowed := access.allowed.get(event.head, ())):
            return
        left = access.failed and event.value == UNTOUCHED
        if event.flag or (event.value not in allowed and not left):
            self._report_data(access, event)
            return
        if access.failed:  # what it found, if anything, decides nothing
            return
        if event.value != ZEROES:
            self._note(event, len(allowed))
        if len(allowed) > 1:
            self._disk.found(event.head, event.value, access.begin, access.pushed, event)

    def _note(self, found: Event, choices: int) -> None:
        self._report.met(READ_BACK)
        if choices > 1:
            self._report.met(READ_BESIDE)
        if self._power_lost:
            self._report.met(READ_AFTER_LOSS)
        write = self._disk.last(found.head, found.value)
        if write is not None and write.stable and self._power_lost:
            self._report.met(READ_STABLE)
        if write is not None and write.begin < self._reset_at:
            self._report.met(READ_LATER)

    def _report_data(self, access: _Access, found: Event) -> None:
        first, state, why = self._overwriting(found, access.begin) or (
            access.pop,
            "unwritten",
            "which nobody had written there; it was dequeued",
        )
        sentence = (
            f"A read found data {found.value} in sector {found.head} at turn {found.turn}, {why} "
            f"at turn {first.turn}."
        )
        self._report.violation(first, found, sentence, state)

    def features(self, event: Event, time: int) -> None:
        declined = event.head & ~event.value
        self._stable = bool(declined >> F_FLUSH & 1)
        self._read_only = bool(event.head >> F_RO & 1)

    def _overwriting(self, found: Event, begin: int) -> tuple[Event, str, str] | None:
        """Return what had overwritten the data found; None if the data was never in that sector.

        That is an event, its state and words for it.
        """
        write = None if found.flag else self._disk.last(found.head, found.value)
        by = write and self._disk.overwriter(found.head, write, begin)
        if write is not None and write.flush is not None:
            if write.through:
                why = "overwritten by a write without F_FLUSH that ended"
                return write.flush, "not_stable", why
            state = "not_flushed" if write.flush.kind == PUSH else "not_flushed_by_stop"
            return write.flush, state, "overwritten before the flush that ended"
        if write is not None and by is not None:
            return by.event, "cut" if write.cut else "stale", f"overwritten by data {by.data}"
        return None

    def disk(self, event: Event, time: int) -> None:
        """Judge a sector of the disk, when all has settled."""
        allowed = self._disk.may_find(event.head, event.head + 1, time)[event.head]
        if event.value != ZEROES:
            self._report.met(AT_REST)
        if (event.flag or event.value not in allowed) and ANYTHING not in allowed:
            self._report_disk(event, time)

    def _report_disk(self, found: Event, time: int) -> None:
        first, state, why = found, "unwritten", "which no request had written there"
        overwriting = self._overwriting(found, time)
        if overwriting is not None:
            first, state, why = overwriting
            why = f"{why} at turn {first.turn}"
        sentence = (
            f"The disk held data {found.value} in sector {found.head} at the end (turn "
            f"{found.turn}), {why}."
        )
        self._report.violation(first, found, sentence, f"disk_{state}")

    def resize(self, event: Event, time: int) -> None:
        self._capacity, self._resize = event.value, event
        self._disk.resize(event.value, time)
        for access in self.running.values():
            access.low = min(access.low, event.value)
            access.high = max(access.high, event.value)
            self._report.met(RESIZE_IN_USE)

    def flush(self, event: Event, time: int) -> None:
        """The backend was flushed, by no request."""
        if not event.request:  # else one write was flushed
            self._disk.flush(time, event)

    def lose_power(self, event: Event, time: int) -> None:
        self._disk.lose_power(time)
        self._power_lost = True

    def reset(self, event: Event, time: int) -> None:
        """Cut off the running requests: each takes effect before this or never."""
        self._reset_at = time
        for access in self.running.values():
            self._cut(access, event, time)
        self.running.clear()
        self.asked.clear()
        self.pushed.clear()

    def reset_queue(self, event: Event, time: int) -> None:
        """Cut off the running requests of one queue."""
        for request, access in list(self.running.items()):
            if access.pop.queue == event.queue:
                self._cut(self.running.pop(request), event, time)
        for known in (self.asked, self.pushed):
            for place in [place for place in known if place[0] == event.queue]:
                del known[place]

    def _cut(self, access: _Access, reset: Event, time: int) -> None:
        for write in access.writes:
            write.ends(time, reset, sure=False)
            write.cut = True


_RARE: Final = {
    FEATURES: _Books.features,
    QUEUE_RESET: _Books.reset_queue,
    RESET_RET: _Books.reset,
    RESIZE: _Books.resize,
    FLUSHED: _Books.flush,
    POWER_LOSS: _Books.lose_power,
}
