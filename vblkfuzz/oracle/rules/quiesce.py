"""The rule of the quiesce_counter: S11.

The counter is the number of open drains. Callbacks of the device are called for the first and the
last one only: drained_begin when it goes from 0 to 1, drained_end when it goes from 1 to 0.
DRAIN_CALL and DRAIN_END are recorded with the change of the counter, before the callbacks. Source:
QEMU blk_root_drained_begin, blk_root_drained_end (block/block-backend.c).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vblkfuzz.oracle.naming.consequence import REQUEST_GOES_ON
from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import DRAIN_CALL, DRAIN_END, DRAIN_RET, DRAINED_BEGIN, DRAINED_END, END

NESTED = Situation("nested_drain", "A drain began inside another one.")
NOPOLL = Situation("nopoll_drain", "A drain that does not wait for requests in flight.")


@rule(
    "S11",
    title="The quiesce_counter is balanced and the device callbacks follow it.",
    source="QEMU blk_root_drained_begin, blk_root_drained_end",
    instead=(
        "Each begin adds 1 and each end subtracts 1; the device callbacks are called when it "
        "goes from 0 to 1 and from 1 to 0, and at no other time."
    ),
    needs=(
        DRAIN_CALL,
        DRAIN_RET,
        DRAIN_END,
        DRAINED_BEGIN,
        DRAINED_END,
        END,
    ),
    situations=(NESTED, NOPOLL),
    path="none",
    leads_to=(*REQUEST_GOES_ON, "S1", "S2", "S3", "S8", "S11", "L1", "L2"),
)
def S11(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """Each drain changes the counter by one; drained_begin on 0 to 1, drained_end on 1 to 0."""
    counter = 0
    quiesced = False
    change = events[0]  # last event that changed the counter
    for event in events:
        kind = event.kind
        if kind in _STEPS:
            if event.value != counter + _STEPS[kind]:
                _unbalanced(change, event, counter, "counter", report)
            if quiesced and counter == 0:
                _unbalanced(change, event, counter, "no_drained_end", report)
                quiesced = False
            counter, change = event.value, event
            if kind == DRAIN_CALL:
                _note_drain(event, report)
        elif kind == DRAINED_BEGIN:
            if quiesced or counter != 1:
                _unbalanced(change, event, counter, "drained_begin", report)
            quiesced = True
        elif kind == DRAINED_END:
            if not quiesced or counter != 0:
                _unbalanced(change, event, counter, "drained_end", report)
            quiesced = False
        elif kind == DRAIN_RET:
            if not quiesced:
                _unbalanced(change, event, counter, "no_drained_begin", report)
        elif counter != 0 or quiesced:
            _unbalanced(change, event, counter, "left_drained", report)


_STEPS: Final = {DRAIN_CALL: 1, DRAIN_END: -1}
"""Change of the counter by an event."""

_BOOKS: Final = {
    "counter": "the counter did not change by one",
    "no_drained_end": "the device never heard that the drain before it had ended",
    "drained_begin": "drained_begin was called although the counter did not go from 0 to 1",
    "drained_end": "drained_end was called although the counter did not go from 1 to 0",
    "no_drained_begin": "the drain returned without drained_begin",
    "left_drained": "the device was left drained",
}


def _unbalanced(change: Event, event: Event, counter: int, state: str, report: Report) -> None:
    sentence = (
        f"At turn {event.turn} {_BOOKS[state]} "
        f"(the counter was {counter} since turn {change.turn})."
    )
    report.violation(change, event, sentence, state)


def _note_drain(call: Event, report: Report) -> None:
    if call.value > 1:
        report.met(NESTED)
    if call.flag == 0:
        report.met(NOPOLL)
