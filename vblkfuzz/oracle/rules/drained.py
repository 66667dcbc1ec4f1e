"""Rules of drained sections: S1, S2 and S3.

A *drained section* is open from the first DRAIN_RET until the DRAIN_END that brings the
quiesce_counter to 0; nested drains belong to the section of the outermost one. Two layers act on
it, and each has a rule: the device stops dequeuing (S1), and the BlockBackend parks requests that
were dequeued all the same (S2). S3 is about the return of a drain. The rule of the counter is in
`oracle.rules.quiesce`.

DRAIN_CALL and DRAIN_END are recorded with the change of the counter, that is, before the device
callbacks and before parked requests go on. Source: QEMU blk_root_drained_begin,
blk_root_drained_end, blk_wait_while_drained (block/block-backend.c), virtio_blk_drained_begin and
virtio_blk_drained_end (hw/block/virtio-blk.c).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vblkfuzz.oracle.naming.circumstance import came_from, missed_by_drain
from vblkfuzz.oracle.naming.consequence import REQUEST_GOES_ON, STAYS_ATTACHED
from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.oracle.rules.event_loops import Watch, names, watch_at
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event, Frame, frames_of
from vblkfuzz.trace.kinds import (
    BROKEN,
    CANCEL,
    DRAIN_CALL,
    DRAIN_END,
    DRAIN_RET,
    DRIVER_INIT,
    HANDLER,
    HANDLER_END,
    IO_DONE,
    KICK,
    PARK,
    POP,
    PUSH,
    QUEUE_RESET,
    RESET_CALL,
    RESET_RET,
    RETRY,
    SUBMIT,
    UNPARK,
)
from vblkfuzz.trace.order_kinds import WAITS
from vblkfuzz.trace.witness import Witness

KICK_IN_DRAIN = Situation("kick_in_drain", "The guest kicked inside a drained section.")
RESET_IN_DRAIN = Situation("reset_in_drain", "A reset began inside a drained section.")
KICK_RESET_IN_DRAIN = Situation(
    "kick_then_reset_in_drain", "A kick, then a reset, inside one drained section."
)
PARKED = Situation("request_parked", "A drained BlockBackend parked a request.")
RESUMED = Situation("parked_request_resumed", "A parked request went on and was submitted.")
DRAIN_IN_FLIGHT = Situation(
    "drain_with_request_in_flight", "A polling drain was called with a request in flight."
)


@rule(
    "S1",
    title="No request is dequeued inside a drained section.",
    source="QEMU virtio_blk_drained_begin; qemu-devel, 'virtio-blk: implement drained_begin'",
    instead=(
        "The device detaches its notifiers before the drain returns; requests that the guest "
        "kicks for stay in the ring until the section has ended."
    ),
    needs=(
        POP,
        KICK,
        DRIVER_INIT,
        RESET_CALL,
        DRAIN_RET,
        DRAIN_END,
    ),
    situations=(KICK_IN_DRAIN, RESET_IN_DRAIN, KICK_RESET_IN_DRAIN),
    witnesses=Witness.POP,
    # A device may go on polling in a drain although it no longer handles kicks.
    polling_tells=True,
    leads_to=(*REQUEST_GOES_ON, "S2", "S3", "S10"),
    leads_to_in={"detached_elsewhere": STAYS_ATTACHED},
)
def S1(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """Weak form: handlers that were running when the section began may go on.

    A detach cannot stop them. Handlers that the vCPU calls directly (flag 1) are allowed, too:
    without a notifier there is nothing to detach, and S2 still holds. So are those of virtio-scsi
    that was set up without DRIVER_OK: from QEMU 10.0 on, the vCPU calls them.
    """
    section: Event | None = None
    kicked = without_notifier = False
    for event in events:
        kind = event.kind
        if kind == DRIVER_INIT:
            without_notifier = event.flag == _NO_DRIVER_OK and scenario.device.kind == "scsi"
        elif section is None:
            if kind == DRAIN_RET:
                section, kicked = event, False
        elif kind == DRAIN_END:
            section = section if event.value else None
        elif kind == KICK:
            if event.flag == 1:
                kicked = True
                report.met(KICK_IN_DRAIN)
        elif kind == POP:
            if not (without_notifier or _is_allowed(event, section, report.events)):
                _report_dequeued(section, event, report)
        elif kind == RESET_CALL:
            report.met(KICK_RESET_IN_DRAIN if kicked else RESET_IN_DRAIN)
            report.met(RESET_IN_DRAIN)


_NO_DRIVER_OK: Final = 2
"""Flag of a DRIVER_INIT."""


def _is_allowed(pop: Event, section: Event, events: Sequence[Event]) -> bool:
    """Whether the handler of `pop` began before `section`, or was called by the vCPU."""
    run: Event | None = None
    before = False
    for event in events:
        if event is pop:
            break
        if event is section:
            before = True
        elif event.kind in _RUNS and event.actor == pop.actor and event.queue == pop.queue:
            run, before = event if event.kind == HANDLER else None, False
    return run is not None and (run.flag == 1 or before)


_RUNS: Final = frozenset({HANDLER, HANDLER_END})


def _report_dequeued(section: Event, pop: Event, report: Report) -> None:
    watch = watch_at(pop, report.events)
    sentence = (
        f"Request {pop.request} was dequeued from queue {pop.queue} at turn {pop.turn}, inside "
        f"the drained section that began at turn {section.turn}{_attachment(watch)}."
    )
    report.violation(section, pop, sentence, _why_handled(watch, pop))


def _attachment(watch: Watch) -> str:
    """Say whether the section detached the queue; nothing if no attach was observed."""
    loops = names(watch.loops)
    if loops and watch.elsewhere:
        return f"; in it the queue was detached from {names(watch.elsewhere)}, but not from {loops}"
    if loops and watch.attached:
        return f"; in it the queue was attached to {loops}"
    if loops:
        return f"; in it the queue was never detached from {loops}"
    return "; in it the queue had been detached" if watch.detached else ""


def _why_handled(watch: Watch, pop: Event) -> str:
    """Return why an event loop handled the queue, if not because the drain forgot to detach it."""
    if not _IN_LOOP.issuperset(frames_of(pop)) or not pop.path:
        return ""
    if watch.loops:
        return "detached_elsewhere" if watch.elsewhere else ""
    return "detached" if watch.detached else ""


_IN_LOOP: Final = frozenset({0, Frame.HOST_NOTIFIER_READ, Frame.POLL})
"""Frames of a handler that an event loop calls."""


@rule(
    "S2",
    title="No request is submitted to the backend while it is drained.",
    source="QEMU blk_wait_while_drained",
    instead="The BlockBackend parks the request and lets it go on after the last drain has ended.",
    needs=(
        SUBMIT,
        PARK,
        UNPARK,
        DRAIN_CALL,
        DRAIN_END,
    ),
    situations=(PARKED, RESUMED),
    leads_to=(*REQUEST_GOES_ON, "S3"),
    circumstance=came_from,
)
def S2(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """Holds from the change of the counter on, in every mode: check and submit are atomic."""
    drain: Event | None = None
    resumed: set[int] = set()
    for event in events:
        kind = event.kind
        if kind == SUBMIT:
            if drain is not None:
                report.violation(drain, event, _submitted(drain, event))
            if event.request in resumed:
                report.met(RESUMED)
        elif kind == DRAIN_CALL:
            if drain is None:
                drain = event
        elif kind == DRAIN_END:
            if event.value == 0:
                drain = None
        elif kind == PARK:
            report.met(PARKED)
        elif kind == UNPARK:
            resumed.add(event.request)


def _submitted(drain: Event, submit: Event) -> str:
    return (
        f"Request {submit.request} was submitted to the backend at turn {submit.turn} although "
        f"the drain that began at turn {drain.turn} had not ended."
    )


@rule(
    "S3",
    title="When a polling drain returns, no request is under way.",
    source="QEMU bdrv_drained_begin, blk_drain, blk_inc_in_flight",
    instead="The drain waits until each request it finds under way is pushed or parked.",
    needs=(
        POP,
        SUBMIT,
        PARK,
        UNPARK,
        IO_DONE,
        PUSH,
        CANCEL,
        RETRY,
        WAITS,
        RESET_RET,
        QUEUE_RESET,
        BROKEN,
        DRAIN_CALL,
        DRAIN_RET,
    ),
    situations=(DRAIN_IN_FLIGHT,),
    path="none",
    leads_to=(*REQUEST_GOES_ON, "S2", "S3", "S10", "S12"),
    circumstance=missed_by_drain,
)
def S3(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """No request is in flight; each popped one is pushed, parked, cancelled or to be retried.

    With F_IN_ORDER it may have ended and wait for an older one. A broken device drops its
    requests, a reset cancels them. Requests that the draining actor
    popped itself do not count, because a drain cannot wait for its caller. Requests of an ended
    epoch do not count either: no drain can wait for them after the reset, and S4 judges them.
    """
    live_epoch = 0
    pops: dict[int, Event] = {}
    under_way: dict[int, Event] = {}
    in_flight: set[int] = set()
    for event in events:
        kind = event.kind
        if kind == POP:
            pops[event.request] = under_way[event.request] = event
        elif kind == SUBMIT:
            request = event.request
            in_flight.add(request)
            if request not in under_way and event.epoch >= live_epoch:  # it was on the retry list
                under_way[request] = pops.get(request, event)
        elif kind == IO_DONE:
            in_flight.discard(event.request)
        elif kind == DRAIN_CALL:
            if in_flight and event.flag == 1:
                report.met(DRAIN_IN_FLIGHT)
        elif kind == DRAIN_RET:
            if event.flag == 1 and (under_way or event.value):  # a polling drain
                _check_return(event, under_way, report)
        elif kind in _SETTLED:
            under_way.pop(event.request, None)
        elif kind in _DROPPED:
            _drop(event, under_way)
            live_epoch = event.epoch + 1 if kind == RESET_RET else live_epoch
        elif event.epoch >= live_epoch:  # UNPARK
            under_way[event.request] = pops.get(event.request, event)


_SETTLED: Final = frozenset({PUSH, PARK, CANCEL, RETRY, WAITS})
_DROPPED: Final = frozenset({RESET_RET, QUEUE_RESET, BROKEN})


def _drop(event: Event, under_way: dict[int, Event]) -> None:
    """Remove the requests that a reset cancels or a broken device drops."""
    queue = event.queue if event.kind == QUEUE_RESET else None
    for request, pop in list(under_way.items()):
        if queue is None or pop.queue == queue:
            del under_way[request]


def _check_return(ret: Event, under_way: dict[int, Event], report: Report) -> None:
    others = [pop for pop in under_way.values() if pop.actor != ret.actor]
    first = others[0] if others else ret
    returned = f"The polling drain returned at turn {ret.turn}"
    if ret.value != 0:
        since = f", one of them dequeued at turn {first.turn}" if others else ""
        sentence = f"{returned} with {ret.value} requests in flight{since}."
        report.violation(first, ret, sentence, "in_flight")
    elif others:
        sentence = (
            f"{returned} although request {first.request}, dequeued at turn {first.turn}, was "
            "neither finished nor parked."
        )
        report.violation(first, ret, sentence, "under_way")
