"""The rules of what a back-end says to a front-end under test: S49, S50.

It may answer a message wrongly, and it tells that its configuration has changed. Source:
"Vhost-user Protocol", "Communication", "Protocol features", VHOST_USER_BACKEND_CONFIG_CHANGE_MSG.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.scenario.alphabet.backend import WAYS
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import CONFIG_READ, DRIVER_INIT, END, RESET_RET, VM_CONT, VM_STOP_CALL
from vblkfuzz.trace.vhost_kinds import (
    CONFIG_CALLED,
    VHOST_ANSWER,
    VHOST_CONFIG,
    VHOST_CONNECTION,
    VHOST_MESSAGE,
)
from vblkfuzz.trace.witness import Witness
from vblkfuzz.virtio.vhost_user import Request

REFUSED = Situation(
    "front_end_answer_refused",
    "A front-end got an answer of another form than it should have, and disconnected.",
    Witness.MESSAGES,
)
TOLD = Situation(
    "front_end_config_change_told",
    "A driver was told of the new capacity of a back-end.",
    Witness.MESSAGES,
)
READ = Situation(
    "front_end_config_change_read",
    "A driver read the new capacity of a back-end.",
    Witness.MESSAGES,
)

_NO_ANSWER: Final = frozenset(
    WAYS.index(way) for way in ("error", "short", "long", "huge", "number", "flags")
)
"""Ways in which an answer is none, as its header or size shows."""
_FILE: Final = WAYS.index("file")
_NEEDED_BY: Final[Mapping[int, Request]] = {
    Request.GET_FEATURES: Request.SET_FEATURES,
    Request.GET_PROTOCOL_FEATURES: Request.SET_PROTOCOL_FEATURES,
    Request.GET_INFLIGHT_FD: Request.SET_INFLIGHT_FD,
    Request.SET_MEM_TABLE: Request.SET_VRING_KICK,
}
"""The message that goes on with what the answer to another one has said."""
_MADE: Final = 1
_TOLD, _DID, _NOT = range(3)
"""Flags of a VHOST_CONFIG."""
_DRIVER_OK: Final = 1
"""Flag of a DRIVER_INIT."""


@rule(
    "S49",
    title="A vhost-user front-end does not go on with an answer that is none.",
    source="Vhost-user Protocol, Header, Communication, Protocol features",
    instead="It asks again, fails what it was doing, or disconnects.",
    needs=(VHOST_CONNECTION, VHOST_MESSAGE, VHOST_ANSWER),
    situations=(REFUSED,),
    witnesses=Witness.MESSAGES,
    decisive=(VHOST_ANSWER,),
    path="none",
    leads_to=("S44", "S45", "S46", "L1", "L3", "L4", "S38", "S31"),
)
def S49(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """An answer with another number, size or version, or an error."""
    refused: dict[int, Event] = {}
    for event in events:
        if event.kind == VHOST_CONNECTION:
            if refused and event.flag != _MADE:
                report.met(REFUSED)
            refused.clear()
        elif event.kind == VHOST_ANSWER:
            needer = _NEEDED_BY.get(event.value)
            if needer is not None and _is_none(event):
                refused[needer] = event
        elif event.flag in refused:
            answer = refused.pop(event.flag)
            sentence = (
                f"{Request(event.flag).name} at turn {event.turn} goes on with the answer to "
                f"{Request(answer.value).name} at turn {answer.turn}, which was none "
                f"({WAYS[answer.flag]})."
            )
            report.violation(answer, event, sentence, Request(answer.value).name.lower())
        elif event.flag in _NEEDED_BY:  # it asks again
            refused.pop(_NEEDED_BY[event.flag], None)


def _is_none(answer: Event) -> bool:
    return answer.flag in _NO_ANSWER or (
        answer.flag == _FILE and answer.value == Request.GET_INFLIGHT_FD
    )


@rule(
    "S50",
    title="A vhost-user front-end tells the driver of a new configuration.",
    source="Vhost-user Protocol, VHOST_USER_BACKEND_CONFIG_CHANGE_MSG; virtio 1.2, 2.5, 5.2.4",
    instead="It answers, reads the configuration, and interrupts a driver that has set DRIVER_OK.",
    needs=(
        *(VHOST_CONNECTION, VHOST_CONFIG, CONFIG_CALLED, CONFIG_READ),
        *(DRIVER_INIT, RESET_RET, VM_STOP_CALL, VM_CONT, END),
    ),
    situations=(TOLD, READ),
    witnesses=Witness.MESSAGES | Witness.GUEST | Witness.REST,
    decisive=(VHOST_CONFIG,),
    path="none",
)
def S50(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """`silent`: no answer; `not_called`: no interrupt; `stale`: the driver reads an older one.

    The latter may say when the front-end was told: the device was not started, or the VM stopped.
    Then the driver is asked for what it reads only.
    """
    state = _Configuration(scenario.device.disk_sectors)
    for event in events:
        kind = event.kind
        if kind == VHOST_CONNECTION:
            state.asked = None
        elif kind == VHOST_CONFIG:
            state.answer(event)
        elif kind == CONFIG_CALLED:
            if state.owed is not None:
                report.met(TOLD)
            state.owed = None
        elif kind == CONFIG_READ:
            _check_read(state, event, report)
        elif kind == RESET_RET or (kind == DRIVER_INIT and not event.flag):
            state.works, state.owed = False, None
        elif kind == DRIVER_INIT:
            state.works = event.flag == _DRIVER_OK
        elif kind in (VM_STOP_CALL, VM_CONT):
            state.runs = kind == VM_CONT
        elif kind == END:
            _check_end(state, event, report)


class _Configuration:
    """What the front-end has been told."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        """As it said last."""
        self.works = False
        """Whether the driver has set DRIVER_OK."""
        self.runs = True
        """Whether the VM runs."""
        self.asked: Event | None = None
        """The change that the front-end has not answered yet."""
        self.known: Event | None = None
        """The last one that it says to have carried out; None: another one came since."""
        self.owed: Event | None = None
        """That of which the driver must be told."""
        self.when = ""
        """End of the state: when the front-end was told; empty: while the device worked."""
        self.missed = False
        """Whether the driver may still have an older one, which a later change may restore."""

    def answer(self, event: Event) -> None:
        """Take a VHOST_CONFIG."""
        if event.flag == _TOLD:
            self.asked, self.known = event, None
            self.when = "-not_started" if not self.works else "" if self.runs else "-stopped"
            return
        self.asked = None
        if event.flag == _DID:
            self.known = event
            self.missed |= bool(self.when)
            if not self.missed and event.value != self.capacity:
                self.owed = event
            self.capacity = event.value


def _check_read(state: _Configuration, read: Event, report: Report) -> None:
    known = state.known
    if known is None:
        return
    if read.value == known.value:
        report.met(READ)
        state.missed = False
        return
    state.missed, state.owed = True, None
    sentence = (
        f"The driver read a capacity of {read.value} sectors at turn {read.turn}; the front-end "
        f"says to have taken {known.value} at turn {known.turn}."
    )
    report.violation(known, read, sentence, f"stale{state.when}")


def _check_end(state: _Configuration, end: Event, report: Report) -> None:
    if state.asked is not None:
        sentence = (
            f"The front-end was told of another configuration at turn {state.asked.turn}, and had "
            f"not answered when everything had settled (turn {end.turn})."
        )
        report.violation(state.asked, end, sentence, "silent")
    elif state.owed is not None:
        sentence = (
            f"The driver had not been told of the new configuration of turn {state.owed.turn} "
            f"when everything had settled (turn {end.turn})."
        )
        report.violation(state.owed, end, sentence, "not_called")
