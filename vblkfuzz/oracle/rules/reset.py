"""The rule of resets: S4.

A reset ends an *epoch*. The driver may reuse the memory of its requests as soon as the status reads
0 (virtio 1.2, 2.4.1 and 3.1.1). So a request of an ended epoch must have no further effect, whether
it was parked, on the retry list or in a bottom half. Source: QEMU virtio_blk_reset, virtio_reset.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vblkfuzz.oracle.ended import ended
from vblkfuzz.oracle.naming.circumstance import outlived_reset
from vblkfuzz.oracle.naming.consequence import REQUEST_GOES_ON
from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import (
    CANCEL,
    IO_DONE,
    MEMWRITE,
    PARK,
    POP,
    PUSH,
    RESET_CALL,
    RESET_RET,
    SUBMIT,
    UNPARK,
)
from vblkfuzz.trace.witness import Witness

RESET_IN_FLIGHT = Situation(
    "reset_with_request_in_flight",
    "A reset began while the backend had a request; of a real device, while it had dequeued one.",
)
RESET_PARKED = Situation(
    "reset_with_parked_request",
    "A reset began while a request was parked.",
    witnesses=Witness.DEVICE,
)

_EFFECTS: Final = {
    SUBMIT: "submit",
    IO_DONE: "io_done",
    MEMWRITE: "memwrite",
    PUSH: "push",
}
_SEEN: Final = {
    SUBMIT: "was submitted to the backend",
    IO_DONE: "took effect on the disk",
    MEMWRITE: "was written into guest memory",
    PUSH: "was pushed to the used ring",
}


@rule(
    "S4",
    title="After a reset the requests before it have no further effect.",
    source="virtio 1.2, 2.4.1; QEMU virtio_blk_reset",
    instead="The reset drains or cancels every request of its epoch before it returns.",
    needs=(
        POP,
        SUBMIT,
        PARK,
        UNPARK,
        IO_DONE,
        MEMWRITE,
        PUSH,
        CANCEL,
        RESET_CALL,
        RESET_RET,
    ),
    situations=(RESET_IN_FLIGHT, RESET_PARKED),
    witnesses=Witness.MEMORY,
    decisive=(RESET_CALL, RESET_RET),
    leads_to=(*REQUEST_GOES_ON, "S10"),
    circumstance=outlived_reset,
)
def S4(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """Only the first effect of a request is reported: the others follow from it.

    A completion counts if it succeeded, because a write has reached the disk then. That of a read
    counts too: it cannot occur in a correct device, whose reset waits for requests in flight.
    """
    over = -1  # the last epoch that has ended
    resets: list[Event] = []
    # Dequeued, and no more is known of it: a real device shows neither SUBMIT nor PARK.
    taken: set[int] = set()
    in_flight: set[int] = set()
    parked: set[int] = set()
    reported: set[int] = set()
    for event in events:
        kind = event.kind
        if event.epoch <= over and kind in _EFFECTS and event.request not in reported:
            if kind != IO_DONE or event.flag == 0:
                reported.add(event.request)
                reset = next(each for each in resets if each.epoch >= event.epoch)
                report.violation(reset, event, _came_back(reset, event), _EFFECTS[event.kind])
        elif kind == RESET_RET:
            over = max(over, event.epoch)
            resets.append(event)
        if kind == POP:
            taken.add(event.request)
            continue
        if kind == RESET_CALL:
            _note_reset(in_flight | taken, parked, report)
            continue
        taken.discard(event.request)
        if kind == SUBMIT:
            in_flight.add(event.request)
        elif kind == PARK:
            parked.add(event.request)
        else:  # neither in flight nor parked any more; a RESET_RET has no request
            in_flight.discard(event.request)
            parked.discard(event.request)


def _came_back(reset: Event, event: Event) -> str:
    return (
        f"Request {event.request} of epoch {event.epoch} {_SEEN[event.kind]} at turn "
        f"{event.turn}, after the {ended(reset)} that ended its epoch returned at turn "
        f"{reset.turn}."
    )


def _note_reset(in_flight: set[int], parked: set[int], report: Report) -> None:
    if in_flight:
        report.met(RESET_IN_FLIGHT)
    if parked:
        report.met(RESET_PARKED)
