"""The rules of a vhost-user front-end under test: S44, S45, S46.

They read the messages that the back-end has got, and nothing of the guest, but for S45: which
entries were returned. The connection that there is when a scenario begins was greeted before it.
Source: "Vhost-user Protocol" (QEMU docs/interop/vhost-user.rst).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.scenario.alphabet.backend import WAYS
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import DRIVER_INIT, END, HOSTILE, POP, PUSH, RESET_RET
from vblkfuzz.trace.vhost_kinds import (
    VHOST_ANSWER,
    VHOST_CONNECTION,
    VHOST_MESSAGE,
    About,
    Base,
)
from vblkfuzz.trace.witness import Witness
from vblkfuzz.virtio.vhost_user import F_PROTOCOL_FEATURES, ProtocolFeature, Request

_MADE: Final = 1
"""Flag of a VHOST_CONNECTION."""
_LATE: Final = WAYS.index("late")
_U16: Final = 0xFFFF

GREETED_AGAIN = Situation(
    "front_end_greeted_again",
    "A front-end greeted the back-end that took over from another.",
    Witness.MESSAGES,
)
BASE_RETURNED = Situation(
    "front_end_base_returned",
    "A front-end started a ring again that it had stopped.",
    Witness.MESSAGES,
)
BASE_AFTER_LOSS = Situation(
    "front_end_base_after_loss",
    "A front-end started a ring on the back-end that took over from another.",
    Witness.MESSAGES,
)
AREA_KEPT = Situation(
    "front_end_area_kept",
    "A front-end started a ring with an inflight area of an earlier connection.",
    Witness.MESSAGES,
)

_NEEDS_FEATURE: Final = {
    Request.SET_LOG_BASE: ProtocolFeature.LOG_SHMFD,
    Request.SET_LOG_FD: ProtocolFeature.LOG_SHMFD,
    Request.GET_QUEUE_NUM: ProtocolFeature.MQ,
    Request.SEND_RARP: ProtocolFeature.RARP,
    Request.NET_SET_MTU: ProtocolFeature.MTU,
    Request.SET_BACKEND_REQ_FD: ProtocolFeature.BACKEND_REQ,
    Request.SET_VRING_ENDIAN: ProtocolFeature.CROSS_ENDIAN,
    Request.GET_CONFIG: ProtocolFeature.CONFIG,
    Request.SET_CONFIG: ProtocolFeature.CONFIG,
    Request.GET_INFLIGHT_FD: ProtocolFeature.INFLIGHT_SHMFD,
    Request.SET_INFLIGHT_FD: ProtocolFeature.INFLIGHT_SHMFD,
    Request.RESET_DEVICE: ProtocolFeature.RESET_DEVICE,
    Request.VRING_KICK: ProtocolFeature.INBAND_NOTIFICATIONS,
    Request.GET_MAX_MEM_SLOTS: ProtocolFeature.CONFIGURE_MEM_SLOTS,
    Request.ADD_MEM_REG: ProtocolFeature.CONFIGURE_MEM_SLOTS,
    Request.REM_MEM_REG: ProtocolFeature.CONFIGURE_MEM_SLOTS,
    Request.SET_STATUS: ProtocolFeature.STATUS,
    Request.GET_STATUS: ProtocolFeature.STATUS,
}
"""The protocol feature that a message needs."""
_GREETING: Final = frozenset(
    {
        Request.GET_FEATURES,
        Request.GET_PROTOCOL_FEATURES,
        Request.SET_PROTOCOL_FEATURES,
        Request.GET_QUEUE_NUM,
        Request.GET_MAX_MEM_SLOTS,
        Request.SET_BACKEND_REQ_FD,
        Request.SET_OWNER,
    }
)
"""Messages that may come before the front-end has become the owner of the session."""
_PARTS: Final = (Request.SET_VRING_NUM, Request.SET_VRING_BASE, Request.SET_VRING_ADDR)
"""What a ring needs before SET_VRING_KICK starts it."""


def is_wrong(answer: Event) -> bool:
    """Whether an answer of the back-end (VHOST_ANSWER) is more than late."""
    return answer.flag != _LATE


def _name(word: int) -> str:
    return Request(word).name if word in Request.__members__.values() else f"message {word}"


class _Connection:
    """What the front-end has said on one connection."""

    def __init__(self, made: Event | None) -> None:
        """Begin; None: the connection is older than the scenario, and was greeted."""
        self.made = made
        self.owned = made is None
        self.protocol = -1 if made is None else 0
        """Protocol features in use."""
        self.features: int | None = None
        self._memory = False
        self._parts: set[tuple[int, int]] = set()

    def problem(self, event: Event) -> tuple[str, str]:
        """Note a message; return what is wrong with it, and the slug of that; empty: nothing."""
        word = event.flag
        found = self._problem(event)
        if word == Request.SET_OWNER:
            self.owned = True
        elif word == Request.SET_PROTOCOL_FEATURES:
            self.protocol = event.length
        elif word == Request.SET_FEATURES:
            self.features = event.length
        elif word == Request.SET_MEM_TABLE:
            self._memory = event.value > 0
        elif word in _PARTS and (word != Request.SET_VRING_ADDR or event.value):
            self._parts.add((word, event.queue))
        return found

    def _problem(self, event: Event) -> tuple[str, str]:
        word = event.flag
        if event.head & About.MALFORMED:
            return "has another length or other files than it needs", "malformed"
        if not self.owned and word not in _GREETING:
            return "came before SET_OWNER", "not_greeted"
        needed = _NEEDS_FEATURE.get(Request(word)) if word in Request.__members__.values() else None
        if needed is not None and not self.protocol & needed:
            return "needs a protocol feature that was not negotiated", "no_feature"
        if event.head & About.ASKS_FOR_REPLY and not self.protocol & ProtocolFeature.REPLY_ACK:
            return "asks for a reply without REPLY_ACK", "no_feature"
        if word == Request.SET_VRING_ENABLE and not self._enables:
            return "needs PROTOCOL_FEATURES, which was not negotiated", "no_feature"
        if word == Request.SET_VRING_ADDR and not event.value:
            return "names a place outside the memory table", "outside"
        if word == Request.SET_VRING_KICK and self._is_incomplete(event.queue):
            return "starts a ring that is not set up on this connection", "not_set_up"
        return "", ""

    @property
    def _enables(self) -> bool:
        return self.features is None or bool(self.features >> F_PROTOCOL_FEATURES & 1)

    def _is_incomplete(self, queue: int) -> bool:
        return not self._memory or any((word, queue) not in self._parts for word in _PARTS)


@rule(
    "S44",
    title="A vhost-user front-end greets first, and sends what the protocol allows then.",
    source="Vhost-user Protocol, Message types, Protocol features; QEMU vhost_user_async_close",
    instead=(
        "On each connection it negotiates, becomes the owner, and sets up a ring before it starts."
    ),
    needs=(VHOST_CONNECTION, VHOST_MESSAGE, VHOST_ANSWER, END),
    situations=(GREETED_AGAIN,),
    witnesses=Witness.MESSAGES,
    decisive=(VHOST_CONNECTION, VHOST_MESSAGE),
    path="none",
    leads_to=("S44", "S45", "S46", "L1", "L3", "L4", "S38", "S31"),
)
def S44(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """One violation a connection: what follows is its consequence."""
    connection: _Connection | None = _Connection(None)
    for event in events:
        if event.kind == VHOST_CONNECTION:
            connection = _Connection(event) if event.flag == _MADE else None
        elif connection is None:
            continue
        elif event.kind == VHOST_ANSWER:
            if is_wrong(event):  # what follows is judged by S49
                connection = None
        elif event.kind == END:
            _check_greeted(connection, report)
        else:
            what, state = connection.problem(event)
            if what:
                first = connection.made or event
                sentence = f"{_name(event.flag)} at turn {event.turn} {what}{_since(first, event)}."
                report.violation(first, event, sentence, state)
                connection = None
            elif event.flag == Request.SET_OWNER and connection.made:
                report.met(GREETED_AGAIN)


def _since(made: Event, event: Event) -> str:
    return "" if made is event else f", on the connection made at turn {made.turn}"


def _check_greeted(connection: _Connection, report: Report) -> None:
    made = connection.made
    if made is not None and not connection.owned:
        sentence = (
            f"The front-end had not greeted on the connection made at turn {made.turn} when "
            "everything had settled."
        )
        report.violation(made, made, sentence, "never_greeted")


@rule(
    "S45",
    title="A vhost-user front-end starts a ring where it was stopped.",
    source="Vhost-user Protocol, GET_VRING_BASE, SET_VRING_BASE; QEMU vhost_virtqueue_stop",
    instead=(
        "SET_VRING_BASE has the answer to GET_VRING_BASE; after a lost connection an index from "
        "the used one to the last that was taken; after a reset of the device 0."
    ),
    needs=(
        *(VHOST_CONNECTION, VHOST_MESSAGE, VHOST_ANSWER),
        *(POP, PUSH, RESET_RET, DRIVER_INIT, HOSTILE),
    ),
    situations=(BASE_RETURNED, BASE_AFTER_LOSS),
    witnesses=Witness.MESSAGES | Witness.POP | Witness.MEMORY,
    decisive=(VHOST_MESSAGE,),
    path="none",
    leads_to=("L1", "S38"),
)
def S45(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """A new inflight area tells of a reset: the front-end asks for one in the start after it.

    Not judged: rings in which the guest has broken the protocol; what follows a wrong answer; a
    packed ring after a loss: it has no index in memory, so a front-end cannot know the place.
    """
    stopped: dict[int, Event] = {}
    lost: Event | None = None
    used: dict[int, int] = {}
    taken: dict[int, int] = {}
    hostile = False
    for event in events:
        kind, queue = event.kind, event.queue
        if kind == VHOST_ANSWER:
            if is_wrong(event):
                return
        elif kind == VHOST_CONNECTION:
            lost = event
            stopped.clear()
        elif kind == POP:
            taken[queue] = event.value
        elif kind == PUSH:
            used[queue] = event.value
        elif kind == HOSTILE:
            hostile = True
        elif kind in (RESET_RET, DRIVER_INIT):
            if kind == RESET_RET or not event.flag:
                hostile = False
                used.clear()
                taken.clear()
        elif event.flag == Request.GET_INFLIGHT_FD:
            stopped.clear()
            lost = None
        elif event.flag == Request.GET_VRING_BASE:
            stopped[queue] = event
        elif event.flag == Request.SET_VRING_BASE and not hostile:
            _check_base(event, stopped.pop(queue, None), lost, (used, taken), report)


def _base(event: Event) -> str:
    """Return where a ring is; of a packed ring both places, with the wrap counter in bit 15."""
    if event.length & Base.PACKED:
        return f"{event.value:#x} (used {event.length & _U16:#x})"
    return str(event.value)


def _check_base(
    base: Event,
    stopped: Event | None,
    lost: Event | None,
    counts: tuple[dict[int, int], dict[int, int]],
    report: Report,
) -> None:
    where = f"Ring {base.queue} was started at {_base(base)} (turn {base.turn})"
    if stopped is not None:
        report.met(BASE_RETURNED)
        if (base.value, base.length) != (stopped.value, stopped.length):
            at = _base(stopped)
            sentence = f"{where}, but had been stopped at {at} (turn {stopped.turn})."
            report.violation(stopped, base, sentence, "not_returned")
    elif lost is not None and not base.length & Base.PACKED:
        report.met(BASE_AFTER_LOSS)
        used, taken = (count.get(base.queue, 0) for count in counts)
        if (base.value - used) & _U16 > (taken - used) & _U16:
            sentence = (
                f"{where}, but when the connection was lost, before turn {lost.turn}, its used "
                f"index was {used}, and the back-end had taken all up to {taken}."
            )
            report.violation(lost, base, sentence, "after_loss")


@rule(
    "S46",
    title="A vhost-user front-end hands the inflight area to the next back-end.",
    source="Vhost-user Protocol, Inflight I/O tracking; QEMU vhost_dev_set_inflight",
    instead="SET_INFLIGHT_FD names the area that was last in use, before a ring is started.",
    needs=(VHOST_CONNECTION, VHOST_MESSAGE, VHOST_ANSWER),
    situations=(AREA_KEPT,),
    witnesses=Witness.MESSAGES,
    decisive=(VHOST_MESSAGE,),
    path="none",
    leads_to=("L1", "L3", "S38"),
)
def S46(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """Areas have numbers in the order in which the back-end has made them.

    Not judged: what follows a wrong answer.
    """
    made: Event | None = None
    area: Event | None = None
    handed: Event | None = None
    for event in events:
        if event.kind == VHOST_ANSWER:
            if is_wrong(event):
                return
        elif event.kind == VHOST_CONNECTION:
            made, handed = event, None
        elif event.flag == Request.GET_INFLIGHT_FD:
            area, handed = event, None
        elif event.flag == Request.SET_INFLIGHT_FD:
            handed = event
        elif event.flag == Request.SET_VRING_KICK and area is not None:
            _check_area(event, area, handed, report)
            if made is not None and made.turn > area.turn:
                report.met(AREA_KEPT)


def _check_area(kick: Event, area: Event, handed: Event | None, report: Report) -> None:
    where = f"Ring {kick.queue} was started at turn {kick.turn}"
    asked = f"the inflight area {area.value}, of turn {area.turn}"
    if handed is None:
        sentence = f"{where} without {asked}."
        report.violation(area, kick, sentence, "missing")
    elif handed.value != area.value:
        sentence = f"{where} with area {handed.value} instead of {asked}."
        report.violation(area, kick, sentence, "other")
