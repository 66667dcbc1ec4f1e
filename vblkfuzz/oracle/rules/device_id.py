"""The rule of the device id: S23. GET_ID tells which disk this is.

A driver recognises a disk by the 20 bytes that GET_ID gives, a string padded with NUL. They stay
the same as long as the device lives, whatever resets it. Where the harness has configured the id or
otherwise knows it, it is that one. A device without an id refuses all GET_IDs with UNSUPP, not only
later ones. A device that writes the string and its NUL but no padding is
not reported: QEMU is one. Source: virtio 1.2, 5.2.6; QEMU virtio_blk_handle_request.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import DEVICE_ID, DRIVER_INIT, HOSTILE, RESET_RET
from vblkfuzz.trace.witness import Witness

ID_READ = Situation("id_read", "The guest read the device id.")
ID_READ_LATER = Situation(
    "id_read_after_reset", "The guest read the device id again after a reset."
)

_LEFT_OUT: Final = {1: "unwritten", 2: "cut"}
"""State of a violation, by flag of a DEVICE_ID."""
_GARBLED: Final = 4
_REFUSED: Final = 5
_HOW_MUCH: Final = {1: "none", 2: "only some"}


@rule(
    "S23",
    title="GET_ID gives the whole id of the device, and always the same.",
    source="virtio 1.2, 5.2.6; QEMU virtio_blk_handle_request",
    instead="A GET_ID that ends OK has written the id, the one from before any reset.",
    needs=(DEVICE_ID, HOSTILE, RESET_RET, DRIVER_INIT),
    situations=(ID_READ, ID_READ_LATER),
    witnesses=Witness.GUEST,
    decisive=(DEVICE_ID,),
    path="none",
    leads_to=("S23",),
)
def S23(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """Not judged: answers in rings in which the guest has broken the protocol."""
    good: Event | None = None
    hostile = reset = False
    for event in events:
        kind = event.kind
        if kind == RESET_RET:
            reset = good is not None
        elif kind != DEVICE_ID:  # HOSTILE, DRIVER_INIT
            hostile = kind == HOSTILE
        elif hostile:
            continue
        elif event.flag == _REFUSED:
            if good is not None:
                _report_refused(good, event, report)
        else:
            report.met(ID_READ)
            if reset:
                report.met(ID_READ_LATER)
            if _is_right(good, event, report):
                good = good or event


def _report_refused(good: Event, refused: Event, report: Report) -> None:
    sentence = (
        f"GET_ID ended with UNSUPP at turn {refused.turn}, although the guest had found the id by "
        f"turn {good.turn}."
    )
    report.violation(good, refused, sentence, "refused")


def _is_right(good: Event | None, read: Event, report: Report) -> bool:
    """Report a wrong id; `good` is an id that the guest found before."""
    if read.flag in _LEFT_OUT:
        sentence = (
            f"GET_ID ended OK, but the device had written {_HOW_MUCH[read.flag]} of the 20 bytes "
            f"that the guest read at turn {read.turn}."
        )
        report.violation(read, read, sentence, _LEFT_OUT[read.flag])
    elif read.flag == _GARBLED:
        sentence = (
            f"The id that the guest read at turn {read.turn} is not padded with NULs: the device "
            "wrote other bytes behind its end."
        )
        report.violation(read, read, sentence, "garbled")
    elif good is not None and read.value != good.value:
        sentence = (
            f"GET_ID gave an id with digest {good.value:#06x} at turn {good.turn}, but one with "
            f"{read.value:#06x} at turn {read.turn}."
        )
        report.violation(good, read, sentence, "changed")
    elif read.head and read.value != read.head:
        sentence = (
            f"GET_ID gave an id with digest {read.value:#06x} at turn {read.turn}, but that of the "
            f"device has {read.head:#06x}."
        )
        report.violation(read, read, sentence, "wrong")
    else:
        return True
    return False
