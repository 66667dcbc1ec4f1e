"""The rules of task management, which virtio-scsi has: S42 and S43.

The driver asks for a function in the control queue (TMF), finds the answer (TMF_ENDED), and looks
at all used rings then, in the same operation. That a request is not answered twice, not lost, and
that no data comes late, is judged by the same rules as ever: S5, S6, L3, S4 and S24.

Nothing is judged from when the guest breaks the protocol, or a reset ends the rings, to the next
set-up of the device. Source: virtio 1.2, 5.6.6.1 and 5.6.6.2; SAM-5, 7; Linux virtscsi_tmf, which
relies on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.scenario.alphabet.guest import FUNCTIONS, REQUESTS
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.ending import ABORTED
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.form import word
from vblkfuzz.trace.kinds import (
    COLLECT,
    DRIVER_INIT,
    END,
    HOSTILE,
    OP,
    POP,
    QUEUE_RESET,
    REQUEST,
    RESET_RET,
)
from vblkfuzz.trace.scsi_kinds import TMF, TMF_ENDED
from vblkfuzz.trace.witness import Witness
from vblkfuzz.virtio.request.scsi_control import ANSWERS, NONE

COMPLETE = Situation("tmf_complete", "A task management function was complete.")
FOUND = Situation("tmf_found_request", "A query found the request that it was about.")
BY_TMF = Situation("tmf_aborted", "The guest found a request that task management had ended.")

_ABORT, _QUERY, _NEXUS = map(FUNCTIONS.index, ("abort_task", "query_task", "i_t_nexus_reset"))
"""The last one is about all units: they have the same target."""
_COMPLETE, _SUCCEEDED = ANSWERS.index("complete"), ANSWERS.index("succeeded")
_NO_UNIT: Final = frozenset({ANSWERS.index("incorrect lun"), ANSWERS.index("bad target")})
_WRONG: Final = _NO_UNIT | {NONE, ANSWERS.index("unwritten"), ANSWERS.index("unknown")}
_STATES: Final = {NONE: "not_used", _SUCCEEDED: "succeeded", **dict.fromkeys(_NO_UNIT, "no_unit")}
"""State of a violation, by answer; `no_answer` for others."""
_BREAKS: Final = frozenset({HOSTILE, RESET_RET})
_WITNESSES: Final = Witness.GUEST | Witness.REST | Witness.CONTROL

Place = tuple[int, int]
"""Queue and head."""


@rule(
    "S42",
    title="A task management function gets an answer that the standard knows.",
    source="virtio 1.2, 5.6.6.2; QEMU virtio_scsi_do_tmf",
    instead="The device uses the request in the control queue once the function is complete.",
    needs=(DRIVER_INIT, TMF, TMF_ENDED, HOSTILE, RESET_RET),
    situations=(COMPLETE, FOUND),
    witnesses=_WITNESSES,
    decisive=(TMF_ENDED,),
    path="none",
)
def S42(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """Only a query finds its request: `succeeded`. Any function may be rejected, or fail.

    No unit is missing while the guest uses the device.
    """
    asked: dict[int, Event] = {}
    trusted = False
    for event in events:
        kind = event.kind
        if kind == TMF and trusted:
            asked[event.value] = event
        elif kind in _BREAKS or kind == DRIVER_INIT:
            asked.clear()
            trusted = kind == DRIVER_INIT
        elif kind == TMF_ENDED and (tmf := asked.pop(event.value, None)) is not None:
            _judge_answer(tmf, event, report)


def _judge_answer(tmf: Event, ended: Event, report: Report) -> None:
    answer = ended.flag
    if answer in _WRONG or (answer == _SUCCEEDED and tmf.flag != _QUERY):
        found = "had not used the request" if answer == NONE else "gave no answer of this function"
        sentence = (
            f"The guest asked for {word(FUNCTIONS, tmf.flag)} at turn {tmf.turn}, but the device "
            f"{found} (turn {ended.turn})."
        )
        report.violation(tmf, ended, sentence, _STATES.get(answer, "no_answer"))
    elif answer == _COMPLETE:
        report.met(COMPLETE)
    elif answer == _SUCCEEDED:
        report.met(FOUND)


@rule(
    "S43",
    title="When an abort or a reset of the unit is complete, its requests have ended; none is "
    "aborted else; a query finds a request that is there.",
    source="virtio 1.2, 5.6.6.1, 5.6.6.2; SAM-5, 7.2; QEMU virtio_scsi_cancel_notify",
    instead="The device uses all requests that a function ends, then the request for the function.",
    needs=(
        DRIVER_INIT,
        REQUEST,
        POP,
        COLLECT,
        TMF,
        TMF_ENDED,
        QUEUE_RESET,
        RESET_RET,
        HOSTILE,
        OP,
        END,
    ),
    situations=(BY_TMF,),
    witnesses=_WITNESSES | Witness.POP,
    decisive=(TMF, COLLECT),
    path="none",
)
def S43(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """A request that was not dequeued when the guest asked is none of the unit's yet."""
    tasks = _Tasks(scenario.device, report)
    for event in events:
        kind = event.kind
        if kind in (OP, END):
            tasks.judge_due()
        elif kind == REQUEST:
            tasks.request(event)
        elif kind == POP:
            tasks.taken.add((event.queue, event.head))
        elif kind == COLLECT:
            tasks.collect(event)
        elif kind == TMF:
            tasks.ask(event)
        elif kind == TMF_ENDED:
            tasks.ended(event)
        else:  # new rings, or none
            tasks.forget(event)


class _Tasks:
    """The requests under way, and the functions about them."""

    def __init__(self, device: DeviceConfig, report: Report) -> None:
        self._device, self._report = device, report
        self._trusted = False
        """Whether the device is set up, and the guest has not broken the protocol."""
        self._asked: dict[Place, Event] = {}
        """REQUEST of each request that is not collected."""
        self.taken: set[Place] = set()
        """Those of them that are dequeued."""
        self._open: dict[int, tuple[Event, dict[Place, Event]]] = {}
        """TMF by its number, and the dequeued requests that it ends."""
        self._may_abort: set[Place] = set()
        """Requests that a function may have ended."""
        self._due: list[tuple[Event, Event, dict[Place, Event]]] = []
        """TMF, its end, and the requests that have ended by then."""

    def forget(self, event: Event) -> None:
        """The rings of one queue are gone, or those of all, or what is in them is undefined."""
        if event.kind == QUEUE_RESET:
            for place in [place for place in self._asked if place[0] == event.queue]:
                self._drop(place)
            return
        self._trusted = event.kind == DRIVER_INIT
        self._asked.clear()
        self.taken.clear()
        self._open.clear()
        self._due.clear()

    def _drop(self, place: Place) -> None:
        self._asked.pop(place, None)
        self.taken.discard(place)

    def request(self, event: Event) -> None:
        """A function that has not ended may still end a request that comes after it."""
        place = event.queue, event.head
        self._asked[place] = event
        self.taken.discard(place)
        self._may_abort.discard(place)
        may_end = [tmf for tmf, _ in self._open.values() if tmf.flag != _QUERY]
        if any(self._covers(tmf, event) for tmf in may_end):
            self._may_abort.add(place)

    def ask(self, tmf: Event) -> None:
        """Note which requests a function ends."""
        if not self._trusted:
            return
        one = tmf.flag in (_ABORT, _QUERY)
        meant = [
            place
            for place, request in self._asked.items()
            if (place == (tmf.queue, tmf.head) if one else self._covers(tmf, request))
        ]
        if tmf.flag == _QUERY:  # one that is being aborted need not be found any more
            meant = [place for place in meant if place not in self._may_abort]
        else:
            self._may_abort.update(meant)
        ends = {place: self._asked[place] for place in meant if place in self.taken}
        self._open[tmf.value] = tmf, ends

    def ended(self, event: Event) -> None:
        """The guest is about to look at all used rings."""
        tmf, ends = self._open.pop(event.value, (event, {}))
        if event.flag == _COMPLETE and ends:
            self._due.append((tmf, event, ends))

    def judge_due(self) -> None:
        """Judge the requests that the guest has not found when it looked."""
        for tmf, ended, ends in self._due:
            for place, request in ends.items():
                if self._asked.get(place) is not request:
                    continue
                if tmf.flag != _QUERY:
                    self._report_open(request, word(FUNCTIONS, tmf.flag), ended)
                elif place not in self._may_abort:
                    self._report_hidden(request, ended)
        self._due.clear()

    def _report_open(self, request: Event, function: str, ended: Event) -> None:
        sentence = (
            f"The request of turn {request.turn} ({word(REQUESTS, request.flag)}) was still under "
            f"way when {function}, which ends it, was complete (turn {ended.turn})."
        )
        self._report.violation(request, ended, sentence, function)

    def _report_hidden(self, request: Event, ended: Event) -> None:
        sentence = (
            f"The request of turn {request.turn} ({word(REQUESTS, request.flag)}) was dequeued and "
            f"still under way when query_task said that it is not there (turn {ended.turn})."
        )
        self._report.violation(request, ended, sentence, "query_task")

    def collect(self, event: Event) -> None:
        """Judge a request that a function has ended."""
        place = event.queue, event.head
        request = self._asked.get(place)
        if event.flag == ABORTED and request is not None and self._trusted:
            if place in self._may_abort:
                self._report.met(BY_TMF)
            else:
                self._report_unasked(request, event)
        self._drop(place)

    def _report_unasked(self, request: Event, collect: Event) -> None:
        sentence = (
            f"The request of turn {request.turn} ({word(REQUESTS, request.flag)}) was aborted "
            f"(turn {collect.turn}), but the guest had asked for no function that ends it."
        )
        self._report.violation(request, collect, sentence, "unasked")

    def _covers(self, tmf: Event, request: Event) -> bool:
        """Whether a function may end this request, or one whose memory it has now."""
        if tmf.flag == _ABORT:
            return tmf.queue == request.queue
        return tmf.flag == _NEXUS or tmf.length == self._device.unit_of(request.value & 0xFF)
