"""The rule of requests beside others: S41. One that has ended is not kept back by one that is held.

A guest waits for each request on its own, and virtio lets requests end in any order (2.7.8), unless
F_IN_ORDER was negotiated: then one may wait for older ones (WAITS), which is not judged here. A
device that takes no request as ended while the backend has a newer one is as slow as its slowest
request. Judged is a request that the backend has ended well before everything settled, and that was
pushed only in a later operation: if it is never pushed, that is L3. Only the model shows when the
backend ends a request. Source: QEMU blk_aio_complete; up to 10.0 its NBD client is like that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.oracle.rules.settled import left_alone
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import (
    BROKEN,
    CANCEL,
    HOSTILE,
    IO_DONE,
    OP,
    PUSH,
    QUEUE_RESET,
    RESET_RET,
    RESTORED,
    RETRY,
    SUBMIT,
)
from vblkfuzz.trace.order_kinds import WAITS

BESIDE = Situation(
    "pushed_beside_held", "A request was pushed while the backend held an older or newer one."
)


@rule(
    "S41",
    title="A request that has ended is pushed, whatever other request is held.",
    source="virtio 1.2, 2.7.8; QEMU blk_aio_complete",
    instead="Each request is pushed once the backend has ended it; those before and after it wait.",
    needs=(
        OP,
        SUBMIT,
        IO_DONE,
        PUSH,
        CANCEL,
        RETRY,
        QUEUE_RESET,
        RESET_RET,
        RESTORED,
        BROKEN,
        HOSTILE,
        WAITS,
    ),
    situations=(BESIDE,),
    decisive=(IO_DONE,),
    path="none",
)
def S41(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """Judged until the device is broken, or the guest breaks the protocol, and again after a reset.

    A device may wait in a drained section, in a stopped VM and within a reset.
    """
    held: set[int] = set()
    ended: dict[int, Event] = {}
    late: set[int] = set()
    trusted = True
    for event in events:
        kind, request = event.kind, event.request
        if kind in _ENDS:
            held.clear()
            ended.clear()
            late.clear()
            trusted = kind == RESET_RET or (trusted and kind not in _BREAKS)
        elif not trusted:
            continue
        elif kind == SUBMIT:
            held.add(request)
        elif kind == IO_DONE:
            held.discard(request)
            if event.flag == 0:
                ended[request] = event
        elif kind == PUSH:
            if request in late:
                _report(ended[request], event, report)
            elif held and request in ended:
                report.met(BESIDE)
        elif kind == OP and held and ended and left_alone(scenario, report.events, event):
            late.update(ended)
        if kind in _LEAVES:
            held.discard(request)
            ended.pop(request, None)
            late.discard(request)


_BREAKS: Final = frozenset({BROKEN, HOSTILE})
_ENDS: Final = _BREAKS | {QUEUE_RESET, RESET_RET, RESTORED}
_LEAVES: Final = frozenset({PUSH, CANCEL, RETRY, WAITS})


def _report(ended: Event, push: Event, report: Report) -> None:
    sentence = (
        f"Request {push.request}, which the backend ended at turn {ended.turn}, was pushed only at "
        f"turn {push.turn}; everything had settled in between, with another request held."
    )
    report.violation(ended, push, sentence)
