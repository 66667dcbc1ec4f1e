"""The rule of task management in a drained section: S47.

A section keeps a device from its queues, the control queue included (S1 is about those of
requests). What the device had dequeued before may be answered in the section, and S43 says what
has ended by then. So what the guest shows of a queue that was read is this: a function that it has
asked for in a section, and whose answer it finds in the same section.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.scenario.alphabet.guest import FUNCTIONS
from vblkfuzz.scenario.alphabet.ops import CODES, OPS
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.form import word
from vblkfuzz.trace.kinds import DRAIN_END, DRAIN_RET, DRIVER_INIT, HOSTILE, OP, RESET_RET
from vblkfuzz.trace.scsi_kinds import TMF, TMF_ENDED
from vblkfuzz.trace.witness import Witness

ASKED = Situation("tmf_asked_in_drain", "The guest asked for a function inside a drained section.")
ANSWERED = Situation(
    "tmf_answered_in_drain",
    "The guest found, inside a drained section, the answer to a function it had asked for before.",
)

_START_FAIL: Final = CODES["start_fail"]
_OPERATES: Final = frozenset(spec.code for spec in OPS if spec.owner == "operator" and spec.control)
_DRIVER_OK: Final = 1
"""Flag of a DRIVER_INIT."""
_BREAKS: Final = frozenset({DRIVER_INIT, HOSTILE, RESET_RET})


@rule(
    "S47",
    title="No task management function is answered inside the drained section in which it was "
    "asked for.",
    source="QEMU virtio_scsi_drained_begin, aio_disable_external",
    instead="The device reads no queue inside the section; it dequeues the request after it.",
    needs=(OP, DRAIN_RET, DRAIN_END, DRIVER_INIT, HOSTILE, RESET_RET, TMF, TMF_ENDED),
    situations=(ASKED, ANSWERED),
    witnesses=Witness.GUEST | Witness.CONTROL,
    decisive=(TMF_ENDED,),
    path="none",
)
def S47(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """Without ioeventfd, and after a start that may have failed, a kick reads its queue anywhere.

    So does one of a driver that has left out DRIVER_OK. Counted are functions whose operation began
    when the section was open for sure.
    """
    if not scenario.device.ioeventfd:
        return
    section: Event | None = None
    asked: dict[int, tuple[Event, Event | None, str]] = {}
    begun = ready = False
    for event in events:
        kind = event.kind
        if kind == OP:
            if event.flag == _START_FAIL:
                return
            begun = section is not None
            _note_operation(asked, event)
        elif kind == DRAIN_RET:
            section = section or event
        elif kind == DRAIN_END:
            section = section if event.value else None
            begun = begun and section is not None
        elif kind == TMF:
            inside = section if begun and ready else None
            asked[event.value] = event, inside, ""
            if inside is not None:
                report.met(ASKED)
        elif kind == TMF_ENDED:
            if section is not None and (found := asked.pop(event.value, None)) is not None:
                _judge(found, section, event, report)
        elif kind in _BREAKS:
            asked.clear()
            ready = kind == DRIVER_INIT and event.flag == _DRIVER_OK


def _note_operation(asked: dict[int, tuple[Event, Event | None, str]], operation: Event) -> None:
    """Note the first operation of the operator after each function: it may be the reason."""
    if operation.flag in _OPERATES:
        for number, (tmf, inside, after) in asked.items():
            asked[number] = tmf, inside, after or OPS[operation.flag].name


def _judge(
    found: tuple[Event, Event | None, str], section: Event, ended: Event, report: Report
) -> None:
    tmf, inside, after = found
    if inside is not section:
        report.met(ANSWERED)
        return
    sentence = (
        f"The guest found the answer to {word(FUNCTIONS, tmf.flag)} at turn {ended.turn}, inside "
        f"the drained section in which it had asked for it (turn {tmf.turn})."
    )
    report.violation(tmf, ended, sentence, after)
