"""The rule of saved devices: S35. A device that was saved leaves the disk alone.

From the save on the disk belongs to the device that is restored. What the old one reads may be out
of date; what it writes is lost, or destroys what the new one has written. QEMU asserts that a disk
that was given away is not written. The hard case is a save in a drained section: the end of the
section lets parked requests go on, in a device that must not. That nothing is written into guest
memory meanwhile is S17, because a saved VM is a stopped one. Source: QEMU bdrv_inactivate_all,
bdrv_co_write_req_prepare.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vblkfuzz.oracle.naming.circumstance import of_old_device
from vblkfuzz.oracle.naming.consequence import REQUEST_GOES_ON
from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import (
    CANCEL,
    DRAIN_END,
    FLUSHED,
    IO_DONE,
    MEMWRITE,
    POP,
    PUSH,
    RESTORED,
    RESUMED,
    SAVED,
    SUBMIT,
)

DRAIN_ENDED = Situation(
    "drain_ended_while_saved", "A drained section ended after a save, before the restore."
)
SAVED_OWNED = Situation("restored_with_request", "A restored device went on with a request.")


@rule(
    "S35",
    title="A device that was saved uses the disk no more, and ends none of its requests.",
    source="QEMU bdrv_inactivate_all, bdrv_co_write_req_prepare",
    instead=(
        "All I/O has ended and the disk is flushed when the state is saved; a request that has not "
        "ended goes on in the restored device."
    ),
    needs=(
        POP,
        SUBMIT,
        IO_DONE,
        FLUSHED,
        MEMWRITE,
        PUSH,
        CANCEL,
        DRAIN_END,
        SAVED,
        RESTORED,
        RESUMED,
    ),
    situations=(DRAIN_ENDED, SAVED_OWNED),
    decisive=(SAVED,),
    leads_to=(*REQUEST_GOES_ON,),
    circumstance=of_old_device,
)
def S35(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """After the restore a request from before the save may act only if it came with the state."""
    owned: set[int] = set()
    old: set[int] = set()
    """Requests from before a save that did not come with its state."""
    saved: Event | None = None
    away = False
    """Whether the VM is saved and not yet restored."""
    for event in events:
        kind = event.kind
        if kind == POP:
            owned.add(event.request)
        elif kind == SAVED:
            saved, away, old = event, True, old | owned
        elif kind == RESTORED:
            away = False
        elif kind == RESUMED:
            if saved is not None:
                report.met(SAVED_OWNED)
            old.discard(event.request)
        elif kind == DRAIN_END:
            if away:
                report.met(DRAIN_ENDED)
        elif kind == CANCEL:
            owned.discard(event.request)
            old.discard(event.request)
        else:
            if saved is not None and (event.request in old or (away and kind in _USES_DISK)):
                _report(saved, event, report, away=away)
                old.discard(event.request)
            if kind == PUSH:
                owned.discard(event.request)


_USES_DISK: Final = frozenset({SUBMIT, IO_DONE, FLUSHED})
_ACTS: Final = {
    SUBMIT: "sent a request to the disk",
    IO_DONE: "used the disk",
    FLUSHED: "flushed the disk",
    MEMWRITE: "wrote into guest memory",
    PUSH: "pushed a request",
}


def _report(saved: Event, event: Event, report: Report, *, away: bool) -> None:
    when = "saved" if away else "restored"
    sentence = (
        f"The device that was saved at turn {saved.turn} {_ACTS[event.kind]} at turn {event.turn}"
        f"{'' if away else ', although a new device had taken its place'}."
    )
    report.violation(saved, event, sentence, f"{when}-{'flush' if event.kind == FLUSHED else 'io'}")
