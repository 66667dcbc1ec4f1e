"""The rule of a queue's counts: S40. The device counts its requests right.

A wrong count does not show before the ring is full, or empty at the wrong time. QEMU lets its
operator read the counts (x-query-virtio-queue-status); the harness does so when all has settled,
at the begin of a probe (`trace.probe`). A count below 0 is shown as in the device, modulo 2^16.

In a packed ring QEMU counts descriptors, and the two indices are places in the ring.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.oracle.rules.operational import hostile_queues
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import (
    COLLECT,
    DRIVER_INIT,
    ENABLE_READ,
    OP,
    POP,
    QUEUE_RESET,
    RESET_RET,
    STATUS_READ,
)
from vblkfuzz.trace.probe import probe_of
from vblkfuzz.trace.witness import Witness
from vblkfuzz.virtio.layout import STATUS_NEEDS_RESET

COUNTED = Situation("queue_counts_read", "The operator read what the device counts of a queue.")

_IN_USE, _TAKEN, _USED = 2, 3, 4
"""Flags of an ENABLE_READ."""
_U16: Final = 0xFFFF
_NEGATIVE: Final = 0x8000


class _Ring(NamedTuple):
    """How the device counts."""

    unit: str
    """What it counts."""
    modulus: int
    packed: bool


_SPLIT: Final = _Ring("requests", _U16 + 1, packed=False)


@rule(
    "S40",
    title="At rest the device counts no request in use, and each that it took as used.",
    source="QEMU VirtQueue (inuse, last_avail_idx, used_idx), virtqueue_pop, virtqueue_flush",
    instead="inuse is 0; last_avail_idx and used_idx are the used idx that the driver has seen.",
    needs=(OP, ENABLE_READ),
    situations=(COUNTED,),
    witnesses=Witness.GUEST | Witness.REST | Witness.PROBE,
    path="none",
)
def S40(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """Not judged on queues whose protocol the guest has broken: what they count is up to them.

    A device that says it is broken ends its requests in flight without a used entry (QEMU
    virtqueue_fill, virtqueue_flush), so there only the requests in use and the used idx are judged.
    """
    probe = probe_of(events)
    hostile = hostile_queues(report.events) if probe else ()
    drops = bool(probe) and _says_broken(report.events)
    ring = _ring(scenario, report.events) if probe else _SPLIT
    in_use = taken = 0
    for event in probe:
        if event.kind == OP or event.queue in hostile:
            continue
        if event.flag == _IN_USE:
            report.met(COUNTED)
            in_use = event.value
            if in_use:
                what = f"{_signed(event.value)} in use"
                _report(probe[0], event, what, "in_use", report, ring.unit)
        elif event.flag == _TAKEN:
            taken = event.value
        elif event.flag == _USED:
            ended = None if drops else (taken - in_use) % ring.modulus
            _judge_used(probe[0], event, ended, report, ring)


def _judge_used(begin: Event, used: Event, ended: int | None, report: Report, ring: _Ring) -> None:
    """Judge the number of used entries.

    Args:
        begin: the begin of the probe.
        used: the number.
        ended: that of the requests taken and not in use; None: some of them may have been dropped.
        report: takes the violations.
        ring: its form.
    """
    if ended is not None and used.value != ended:
        what = f"{ended} as taken and no longer in use, and {used.value} as used"
        _report(begin, used, what, "taken", report, ring.unit)
    collected = _collected(used.queue, report.events, ring)
    if collected is not None and collected != used.value:
        what = f"{used.value} as used and the driver {collected} as collected"
        _report(begin, used, what, "collected", report, ring.unit)


def _report(begin: Event, read: Event, what: str, state: str, report: Report, unit: str) -> None:
    sentence = (
        f"Everything had settled at turn {begin.turn}, but of the {unit} of queue {read.queue} "
        f"the device counted {what} (turn {read.turn})."
    )
    report.violation(begin, read, sentence, state)


def _says_broken(events: Sequence[Event]) -> bool:
    """Whether the driver has read NEEDS_RESET since the last reset, in `events` without a probe."""
    said = False
    for event in events:
        if event.kind == RESET_RET:
            said = False
        elif event.kind == STATUS_READ:
            said = bool(event.value & STATUS_NEEDS_RESET)
    return said


def _signed(count: int) -> int:
    return count - _U16 - 1 if count >= _NEGATIVE else count


def _collected(queue: int, events: Sequence[Event], ring: _Ring) -> int | None:
    """Return what the device must count as used; None: the driver has collected nothing.

    After a reset of the system, unnoticed by it, a driver goes on with rings of the past.
    """
    collected, in_use = None, False
    spans: dict[int, int] = {}
    """By head: descriptors of a packed ring that its request takes."""
    for event in events:
        kind = event.kind
        if kind in (RESET_RET, DRIVER_INIT):
            collected, in_use = None, kind == DRIVER_INIT
        elif event.queue != queue:
            continue
        elif kind == POP:
            spans[event.head] = event.length
        elif kind == COLLECT and in_use:
            place = (collected or 0) + spans.get(event.head, 1)
            collected = place % ring.modulus if ring.packed else event.value
        elif kind == QUEUE_RESET:
            collected = None
    return collected


def _ring(scenario: Scenario, events: Sequence[Event]) -> _Ring:
    """Return how the device counts, by the last set-up in `events`."""
    ends = (one for one in reversed(events) if one.kind == DRIVER_INIT and one.flag)
    end = next(ends, None)
    if end is None or not end.length:
        return _SPLIT
    return _Ring("descriptors", scenario.device.queue_size, packed=True)
