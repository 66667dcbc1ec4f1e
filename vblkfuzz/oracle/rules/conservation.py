"""Rules of conservation: S5 and S6. No request is pushed twice, and none without a pop.

S5 checks requests, S6 ring entries (heads). The rule of counters and indices is in
`oracle.rules.indices`. Source: virtio 1.2, 2.7.8; QEMU virtqueue_pop, virtqueue_push,
virtqueue_detach_element.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vblkfuzz.oracle.naming.circumstance import pushed_again
from vblkfuzz.oracle.naming.consequence import REQUEST_GOES_ON
from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.oracle.rules.cause import last_before
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.ending import FOREIGN
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import (
    CANCEL,
    COLLECT,
    DRIVER_INIT,
    HOSTILE,
    IO_DONE,
    POP,
    PUBLISH,
    PUSH,
    QUEUE_RESET,
    RESET_RET,
    SUBMIT,
)
from vblkfuzz.trace.witness import Witness

TWO_IN_FLIGHT = Situation("two_in_flight", "The backend had two requests at once.")
OUT_OF_ORDER = Situation(
    "completion_out_of_order", "A queue's requests were pushed in another order than popped."
)
LATER_EPOCH = Situation("push_after_reset", "A request of a later epoch was pushed.")


@rule(
    "S5",
    title="A request is pushed at most once.",
    source="virtio 1.2, 2.7.8; QEMU virtqueue_push",
    instead="The device pushes the head of a request once, when the request has ended.",
    needs=(SUBMIT, IO_DONE, PUSH),
    situations=(TWO_IN_FLIGHT, OUT_OF_ORDER),
    leads_to=(*REQUEST_GOES_ON,),
    circumstance=pushed_again,
)
def S5(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """Serials of requests rise with their pops, so a push of a lower one is out of order."""
    pushes: dict[int, Event] = {}
    highest: dict[int, int] = {}
    in_flight: set[int] = set()
    for event in events:
        kind = event.kind
        request = event.request
        if kind == SUBMIT:
            in_flight.add(request)
            if len(in_flight) == 2:
                report.met(TWO_IN_FLIGHT)
        elif kind == PUSH:
            if request in pushes:
                report.violation(pushes[request], event, _pushed_twice(pushes[request], event))
            elif request < highest.get(event.queue, 0):
                report.met(OUT_OF_ORDER)
            else:
                highest[event.queue] = request
            pushes[request] = event
        else:  # IO_DONE
            in_flight.discard(request)


def _pushed_twice(first: Event, second: Event) -> str:
    return (
        f"Request {second.request} was pushed at turn {first.turn} and again at turn {second.turn}."
    )


@rule(
    "S6",
    title="Only a head that was popped in this epoch and not pushed since is pushed.",
    source="virtio 1.2, 2.7.8; QEMU virtqueue_push, virtio_reset",
    instead=(
        "The device drops what it has popped before a reset, and pushes only heads that it "
        "popped after it."
    ),
    needs=(
        POP,
        PUSH,
        CANCEL,
        RESET_RET,
        QUEUE_RESET,
        COLLECT,
    ),
    situations=(LATER_EPOCH,),
    witnesses=Witness.MEMORY,
    handlers_alike=True,
    # with requests in use below 0, the device takes its ring for full
    leads_to=(*REQUEST_GOES_ON, "L1"),
)
def S6(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """A used entry for which the guest has no request (FOREIGN) is a violation, too.

    It is not reported if the guest broke the protocol since it made its rings (DRIVER_INIT).
    """
    owned: dict[int, Event] = {}
    for event in events:
        kind = event.kind
        if kind == POP:
            owned[event.request] = event
        elif kind == PUSH:
            pop = owned.pop(event.request, None)
            if pop is None or pop.head != event.head or pop.queue != event.queue:
                _report_push(pop, event, events, report)
            if event.epoch:
                report.met(LATER_EPOCH)
        elif kind == COLLECT:
            if event.flag == FOREIGN and not _hostile_before(event, report.events):
                _report_foreign(event, events, report)
        else:  # RESET_RET, QUEUE_RESET, CANCEL
            _disown(event, owned)


def _hostile_before(collect: Event, events: Sequence[Event]) -> bool:
    """Whether the guest had broken the protocol since it made its rings."""
    hostile = False
    for event in events:
        if event is collect:
            break
        if event.kind == HOSTILE or (event.kind == PUBLISH and event.flag == 1):
            hostile = True
        elif event.kind == DRIVER_INIT and event.flag == 0:
            hostile = False
    return hostile


def _disown(event: Event, owned: dict[int, Event]) -> None:
    """Remove one request at a cancel, those of the queue at a queue reset, all at a reset."""
    if event.kind == CANCEL:
        owned.pop(event.request, None)
    elif event.kind == RESET_RET:
        owned.clear()
    else:
        for request, pop in list(owned.items()):
            if pop.queue == event.queue:
                del owned[request]


def _report_push(pop: Event | None, push: Event, events: Sequence[Event], report: Report) -> None:
    if pop is None:
        first = last_before(push, events, _CLOSES)
        state, why = "not_popped", "it was not popped since then"
    else:
        first, state, why = pop, "other_head", f"head {pop.head} of queue {pop.queue} was popped"
    sentence = (
        f"Head {push.head} was pushed to queue {push.queue} at turn {push.turn} for request "
        f"{push.request}, but {why} (turn {first.turn})."
    )
    report.violation(first, push, sentence, state)


def _report_foreign(collect: Event, events: Sequence[Event], report: Report) -> None:
    first = last_before(collect, events, _PUSHES)
    sentence = (
        f"The guest found head {collect.head} in the used ring of queue {collect.queue} at turn "
        f"{collect.turn}, which it had not made available; the last push was at turn {first.turn}."
    )
    report.violation(first, collect, sentence, "foreign")


_PUSHES: Final = frozenset({PUSH})
_CLOSES: Final = frozenset({PUSH, CANCEL, RESET_RET, QUEUE_RESET})
