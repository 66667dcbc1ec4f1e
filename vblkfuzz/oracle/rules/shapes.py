"""The rules of requests that a device has to refuse: S29, S30.

Both judge the status that the guest finds, so they hold on every target. What such a request did to
the disk is part of S14. Source: virtio 1.2, 5.2.6.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from vblkfuzz.oracle.answered import Answered
from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.scenario.alphabet.guest import REQUESTS
from vblkfuzz.scenario.alphabet.shape import SHAPES, Answer, answer
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.ending import (
    ENDED_IOERR,
    ENDED_OK,
    ENDED_UNSUPP,
)
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.form import word
from vblkfuzz.trace.kinds import COLLECT, RESIZE, SHAPE
from vblkfuzz.trace.witness import Witness
from vblkfuzz.virtio.request.blk import F_RO

READ_ONLY_WRITE = Situation("write_to_read_only_disk", "A write to a read-only disk was answered.")
BAD_LENGTH = Situation("request_of_odd_length", "A request of no whole number of sectors ended.")
FAR = Situation("request_far_beyond_end", "A request whose sectors exceed 64 bits was answered.")
BAD_FLAGS = Situation("request_with_bad_flags", "A discard with flags it must not have ended.")

_OUT: Final = REQUESTS.index("out")
_ZEROES: Final = REQUESTS.index("write_zeroes")
_CLEARS: Final = frozenset({REQUESTS.index("discard"), _ZEROES})
_WORDS: Final = {ENDED_OK: "OK", ENDED_IOERR: "IOERR", ENDED_UNSUPP: "UNSUPP"}


@rule(
    "S29",
    title="A write to a read-only disk ends with IOERR.",
    source="virtio 1.2, 5.2.6.2",
    instead="A device that offers F_RO refuses each write, whatever rerror and werror say.",
    needs=(COLLECT,),
    situations=(READ_ONLY_WRITE,),
    witnesses=Witness.GUEST,
    leads_to=("S14",),  # the disk holds what it must not
)
def S29(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """A device that offers F_RO without being read-only is not judged."""
    if not scenario.device.read_only:
        return
    for request, _, features, _, collect in report.answered:
        if features.head >> F_RO & 1:
            _judge_read_only(request, collect, report)


def _judge_read_only(request: Event, collect: Event, report: Report) -> None:
    """Zeroes may also be unsupported. A discard may do nothing and end well (5.2.6.2)."""
    if request.flag == _OUT:
        report.met(READ_ONLY_WRITE)
        wrong = collect.flag != ENDED_IOERR
    else:
        wrong = request.flag == _ZEROES and collect.flag == ENDED_OK
    if wrong:
        name = "write" if request.flag == _OUT else word(REQUESTS, request.flag)
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
    needs=(SHAPE, COLLECT, RESIZE),
    situations=(BAD_LENGTH, FAR, BAD_FLAGS),
    witnesses=Witness.GUEST,
    decisive=(SHAPE,),
    leads_to=("S14",),
)
def S30(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """Judged are the requests whose shape a device must refuse."""
    capacity = scenario.device.disk_sectors
    for found in report.answered:
        if answer(found.shape, found.request.flag) > Answer.MAY_REFUSE:
            _judge_shape(found, capacity, events, report)


def _judge_shape(found: Answered, capacity: int, events: Sequence[Event], report: Report) -> None:
    request, collect, shape = found.request, found.collect, SHAPES[found.shape]
    report.met(_SITUATIONS.get(shape, FAR))
    right = _right(found, capacity, events)
    if collect.flag not in right:
        words = " or ".join([_WORDS[flag] for flag in right])
        sentence = (
            f"A request ({word(REQUESTS, request.flag)}, {shape}), published at turn "
            f"{request.turn}, ended with {_WORDS[collect.flag]} at turn {collect.turn}; "
            f"right is {words}."
        )
        report.violation(request, collect, sentence, shape)


def _right(found: Answered, capacity: int, events: Sequence[Event]) -> Collection[int]:
    """Return the endings with which a request may be refused.

    A device may check range and flags in any order, and need not know a request type that was not
    negotiated.
    """
    request = found.request
    right = answer(found.shape, request.flag)
    if right is Answer.REFUSED:
        return ENDED_IOERR, ENDED_UNSUPP
    if request.flag not in _CLEARS:
        return (ENDED_IOERR,)
    if right is Answer.IOERR:
        return ENDED_IOERR, ENDED_UNSUPP
    end = (request.value & 0xFF) + (request.value >> 8) + 1
    least = _least_capacity(capacity, found.collect, events)
    may_fail = end > least or found.features.head >> F_RO & 1
    return (ENDED_IOERR, ENDED_UNSUPP) if may_fail else (ENDED_UNSUPP,)


def _least_capacity(capacity: int, collect: Event, events: Sequence[Event]) -> int:
    """Return the least capacity that the disk has had until a COLLECT, in sectors."""
    for event in events:
        if event is collect:
            break
        if event.kind == RESIZE:
            capacity = min(capacity, event.value)
    return capacity


_SITUATIONS: Final = {"odd_length": BAD_LENGTH, "unmap": BAD_FLAGS, "reserved_flag": BAD_FLAGS}
"""By shape; that of all others is FAR."""
