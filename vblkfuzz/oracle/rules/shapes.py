"""The rules of requests that a device has to refuse: S29, S30.

Both judge the status that the guest finds, so they hold on every target. What such a request did to
the disk is part of S14. Source: virtio 1.2, 5.2.6.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.scenario.alphabet.guest import REQUESTS
from vblkfuzz.scenario.alphabet.shape import SHAPES, Answer, answer
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import COLLECT, FEATURES, HOSTILE, REQUEST, RESIZE, SHAPE
from vblkfuzz.trace.witness import Witness
from vblkfuzz.virtio.blk import F_RO

READ_ONLY_WRITE = Situation("write_to_read_only_disk", "A write to a read-only disk was answered.")
BAD_LENGTH = Situation("request_of_odd_length", "A request of no whole number of sectors ended.")
FAR = Situation("request_far_beyond_end", "A request whose sectors exceed 64 bits was answered.")
BAD_FLAGS = Situation("request_with_bad_flags", "A discard with flags it must not have ended.")

_OUT: Final = REQUESTS.index("out")
_ZEROES: Final = REQUESTS.index("write_zeroes")
_CLEARS: Final = frozenset({REQUESTS.index("discard"), _ZEROES})
_OK, _FOREIGN, _IOERR, _UNSUPP, _NO_STATUS = range(5)
"""Flags of COLLECT."""
_NO_ANSWER: Final = frozenset({_FOREIGN, _NO_STATUS})
_WORDS: Final = {_OK: "OK", _IOERR: "IOERR", _UNSUPP: "UNSUPP"}


@rule(
    "S29",
    title="A write to a read-only disk ends with IOERR.",
    source="virtio 1.2, 5.2.6.2",
    instead="A device that offers F_RO refuses each write, whatever rerror and werror say.",
    needs=(FEATURES, REQUEST, COLLECT, HOSTILE),
    situations=(READ_ONLY_WRITE,),
    witnesses=Witness.GUEST,
    leads_to=("S14",),  # the disk holds what it must not
)
def S29(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """Not judged: requests in rings in which the guest has broken the protocol."""
    if not scenario.device.read_only:
        return
    read_only = hostile = False
    asked: dict[tuple[int, int], Event] = {}
    for event in events:
        place = event.queue, event.head
        if event.kind == FEATURES:
            read_only, hostile = bool(event.head >> F_RO & 1), False
        elif event.kind == REQUEST:
            asked[place] = event
        elif event.kind == HOSTILE:
            hostile = True
            asked.clear()
        elif event.flag not in _NO_ANSWER:
            request = asked.pop(place, None)
            if read_only and not hostile and request is not None:
                _judge_read_only(request, event, report)


def _judge_read_only(request: Event, collect: Event, report: Report) -> None:
    """Zeroes may also be unsupported. A discard may do nothing and end well (5.2.6.2)."""
    if request.flag == _OUT:
        report.met(READ_ONLY_WRITE)
        wrong = collect.flag != _IOERR
    else:
        wrong = request.flag == _ZEROES and collect.flag == _OK
    if wrong:
        name = "write" if request.flag == _OUT else REQUESTS[request.flag]
        sentence = (
            f"A {name} to a read-only disk, published at turn {request.turn}, ended with "
            f"{_WORDS[collect.flag]} at turn {collect.turn}; right is IOERR."
        )
        report.violation(request, collect, sentence)


@rule(
    "S30",
    title="A request that must be refused ends with the status for its mistake.",
    source="virtio 1.2, 5.2.6.1, 5.2.6.2; QEMU virtio_blk_sect_range_ok, "
    "virtio_blk_handle_discard_write_zeroes",
    instead="Length and range are checked in wide numbers (IOERR), flags bit by bit (UNSUPP).",
    needs=(FEATURES, SHAPE, REQUEST, COLLECT, HOSTILE, RESIZE),
    situations=(BAD_LENGTH, FAR, BAD_FLAGS),
    witnesses=Witness.GUEST,
    decisive=(SHAPE,),
    leads_to=("S14",),
)
def S30(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """Not judged: requests in rings in which the guest has broken the protocol."""
    books = _Books(scenario.device.disk_sectors, report)
    for event in events:
        _DO[event.kind](books, event)


class _Books:
    """Requests that have to be refused."""

    def __init__(self, capacity: int, report: Report) -> None:
        self._report = report
        self._least = capacity
        """The least capacity so far."""
        self._read_only = self._hostile = False
        self._shape = 0
        self._asked: dict[tuple[int, int], tuple[Event, int]] = {}
        """REQUEST and shape, by queue and head."""

    def features(self, event: Event) -> None:
        self._read_only = bool(event.head >> F_RO & 1)
        self._hostile = False

    def hostile(self, event: Event) -> None:
        self._hostile = True
        self._asked.clear()

    def resize(self, event: Event) -> None:
        self._least = min(self._least, event.value)

    def shape(self, event: Event) -> None:
        self._shape = event.flag

    def request(self, event: Event) -> None:
        self._asked[event.queue, event.head] = event, self._shape
        self._shape = 0

    def collect(self, event: Event) -> None:
        if event.flag in _NO_ANSWER:
            return
        request, shape = self._asked.pop((event.queue, event.head), (event, 0))
        if self._hostile or answer(shape, request.flag) <= Answer.MAY_REFUSE:
            return
        self._report.met(_SITUATIONS.get(SHAPES[shape], FAR))
        right = self._right(request, shape)
        if event.flag not in right:
            words = " or ".join([_WORDS[flag] for flag in right])
            sentence = (
                f"A request ({REQUESTS[request.flag]}, {SHAPES[shape]}), published at turn "
                f"{request.turn}, ended with {_WORDS[event.flag]} at turn {event.turn}; right is "
                f"{words}."
            )
            self._report.violation(request, event, sentence, SHAPES[shape])

    def _right(self, request: Event, shape: int) -> Collection[int]:
        """Return the statuses with which a request may be refused.

        A device may check range and flags in any order, and need not know a request type that was
        not negotiated.
        """
        if request.flag not in _CLEARS:
            return (_IOERR,)
        if answer(shape, request.flag) is Answer.IOERR:
            return _IOERR, _UNSUPP
        end = (request.value & 0xFF) + (request.value >> 8) + 1
        may_fail = end > self._least or self._read_only
        return (_IOERR, _UNSUPP) if may_fail else (_UNSUPP,)


_SITUATIONS: Final = {"odd_length": BAD_LENGTH, "unmap": BAD_FLAGS, "reserved_flag": BAD_FLAGS}
"""By shape; that of all others is FAR."""
_DO: Final = {
    FEATURES: _Books.features,
    SHAPE: _Books.shape,
    REQUEST: _Books.request,
    COLLECT: _Books.collect,
    HOSTILE: _Books.hostile,
    RESIZE: _Books.resize,
}
