"""The rule of events, which virtio-scsi has: S48.

The driver gives the device two buffers (EVENTS_READY) and reads what comes (SCSI_EVENT) where it
takes used entries. Nothing is judged from when the guest breaks the protocol, or a reset ends the
rings, to the next set-up of the device. A restored device is not judged: what it has dropped before
need not be in its state.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.scenario.alphabet.ops import OPS
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import (
    DRIVER_INIT,
    END,
    HOSTILE,
    OP,
    RESET_RET,
    RESIZE,
    RESTORED,
    VM_CONT,
    VM_STOP_CALL,
)
from vblkfuzz.trace.scsi_kinds import EVENTS_READY, SCSI_EVENT
from vblkfuzz.trace.witness import Witness
from vblkfuzz.virtio.request.scsi_event import CHANGE, UNKNOWN, UNWRITTEN

TOLD = Situation("scsi_change_told", "The guest found an event about a unit that was resized.")

_OPERATES: Final = frozenset(spec.code for spec in OPS if spec.owner == "operator")
_WRONG: Final = frozenset({UNKNOWN, UNWRITTEN})
_PER_CAUSE: Final = 2
"""An operation may change the size of a disk and back."""
_BREAKS: Final = frozenset({DRIVER_INIT, HOSTILE, RESET_RET, RESTORED})
_NO_EVENT: Final = 0


@rule(
    "S48",
    title="An event of virtio-scsi tells what has happened, and a resize is told or said to be "
    "missed.",
    source="virtio 1.2, 5.6.6.3; QEMU virtio_scsi_push_event, virtio_scsi_change",
    instead="The device writes one event into a buffer, or says with a later one that some were "
    "missed.",
    needs=(
        OP,
        END,
        DRIVER_INIT,
        HOSTILE,
        RESET_RET,
        RESTORED,
        RESIZE,
        VM_STOP_CALL,
        VM_CONT,
        EVENTS_READY,
        SCSI_EVENT,
    ),
    situations=(TOLD,),
    witnesses=Witness.GUEST | Witness.REST | Witness.CONTROL,
    decisive=(EVENTS_READY, SCSI_EVENT),
    path="none",
)
def S48(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """Causes are counted generously; that a resize is told is judged only if there is a buffer."""
    heard = _Heard(scenario.device.disk_sectors, report)
    for event in events:
        kind = event.kind
        if kind == SCSI_EVENT:
            heard.told(event)
        elif kind == OP:
            heard.causes += _PER_CAUSE * (event.flag in _OPERATES)
        elif kind == EVENTS_READY:
            heard.has_buffers(event)
        elif kind == RESIZE:
            heard.resized(event)
        elif kind in (VM_STOP_CALL, VM_CONT):
            heard.runs = kind == VM_CONT
        elif kind == END:
            heard.judge_lost(event)
        elif kind in _BREAKS:
            heard.ready = heard.resize = None
            heard.trusted = kind == DRIVER_INIT


class _Heard:
    """What there was to tell, and what was told."""

    def __init__(self, sectors: int, report: Report) -> None:
        self._report = report
        self._sectors = sectors
        self.causes = 0
        """How many changes there may have been that no event has told yet."""
        self.ready: Event | None = None
        """When the device had all buffers last; None: it has none, or is not judged."""
        self.resize: Event | None = None
        """The first resize since then."""
        self.runs = True
        """Whether the VM does."""
        self.trusted = False
        """Whether the device was set up, and nothing has come in between."""

    def has_buffers(self, event: Event) -> None:
        """Note that the device has all buffers, and has told all that it had to."""
        self.ready = event if self.trusted else None
        self.resize = None

    def resized(self, event: Event) -> None:
        """Note a new capacity, if the device had to tell it."""
        if event.value != self._sectors and self.ready and self.runs:
            self.resize = self.resize or event
        self._sectors = event.value

    def told(self, event: Event) -> None:
        """Judge an event; any that is no change of the first unit has no cause."""
        ready = self.ready
        self.resize = None
        if ready is None:
            return
        asked = event.flag == CHANGE and event.head == 0 and self.causes > 0
        if event.flag in _WRONG:
            self._report_wrong(ready, event, "is none that the standard knows", "unknown")
        elif asked:
            self.causes -= 1
            self._report.met(TOLD)
        elif event.flag != _NO_EVENT or not event.length:
            self._report_wrong(ready, event, "tells what has not happened", "unasked")

    def _report_wrong(self, ready: Event, event: Event, what: str, state: str) -> None:
        sentence = (
            f"The event that the guest found at turn {event.turn}, in a buffer of turn "
            f"{ready.turn}, {what}."
        )
        self._report.violation(ready, event, sentence, state)

    def judge_lost(self, end: Event) -> None:
        """Judge the first resize since the device had buffers: all has settled."""
        if self.resize is not None:
            sentence = (
                f"The disk was resized at turn {self.resize.turn}, but when everything had settled "
                f"(turn {end.turn}) the guest had found no event, though there was a buffer."
            )
            self._report.violation(self.resize, end, sentence, "lost")
