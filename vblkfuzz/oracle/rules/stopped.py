"""Rules of the stopped VM: S16 and S17.

A stopped VM can be saved and go on elsewhere. So when `stop` returns, each popped request must be
in the used ring or on the retry list, which is saved with the VM. Until `cont` the device must not
access rings or guest memory. The hard case is a VM stop in a drained section: parked requests are
in neither place, and the end of their drain lets them run. Source: QEMU do_vm_stop,
virtio_blk_dma_restart_cb, virtio_blk_save_device.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vblkfuzz.oracle.naming.circumstance import held_at_stop
from vblkfuzz.oracle.naming.consequence import REQUEST_GOES_ON
from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import (
    BROKEN,
    CANCEL,
    DRAIN_END,
    IRQ,
    MEMWRITE,
    PARK,
    POP,
    PUSH,
    QUEUE_RESET,
    RESET_RET,
    RETRY,
    VM_CONT,
    VM_STOP_CALL,
    VM_STOP_RET,
)
from vblkfuzz.trace.order_kinds import WAITS
from vblkfuzz.trace.witness import Witness

STOP_PARKED = Situation("stop_with_parked_request", "A VM stop met a parked request.")
STOP_SAVED = Situation("stop_with_saved_request", "The VM was stopped with a retry list.")
DRAIN_END_STOPPED = Situation(
    "drain_ended_while_stopped", "A drained section ended while the VM was stopped."
)
STOP_OWNED = Situation("stop_with_request_in_use", "A stop began before a request was pushed.")


@rule(
    "S16",
    title="When the VM stops, each dequeued request is pushed or on the retry list.",
    source="QEMU do_vm_stop, virtio_blk_save_device, virtio_blk_dma_restart_cb",
    instead="The stop waits for requests in flight and puts parked ones on the retry list.",
    needs=(
        POP,
        PARK,
        PUSH,
        CANCEL,
        RETRY,
        WAITS,
        RESET_RET,
        QUEUE_RESET,
        BROKEN,
        VM_STOP_CALL,
        VM_STOP_RET,
        VM_CONT,
    ),
    situations=(STOP_PARKED, STOP_SAVED, STOP_OWNED),
    decisive=(VM_STOP_CALL, VM_STOP_RET),
    leads_to=(*REQUEST_GOES_ON,),
    circumstance=held_at_stop,
)
def S16(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """Requests popped and not pushed are exactly those on the retry list; `cont` empties the list.

    A request that has ended and waits for an older one (F_IN_ORDER) counts as pushed. The rule does
    not apply to a broken device, which drops requests.
    """
    owned: dict[int, Event] = {}
    saved: dict[int, Event] = {}
    last: dict[int, int] = {}
    broken = False
    for event in events:
        kind = event.kind
        last[event.request] = kind
        if kind == POP:
            owned[event.request] = event
        elif kind in _ENDS:
            owned.pop(event.request, None)
        elif kind == RETRY:
            saved[event.request] = event
        elif kind == VM_CONT:
            saved.clear()
        elif kind == VM_STOP_CALL:
            _note_stop(owned, last, report)
        elif kind == VM_STOP_RET:
            if saved:
                report.met(STOP_SAVED)
            if owned.keys() != saved.keys() and not broken:
                _report_list(owned, saved, event, report)
        elif kind in _DROPS:
            broken = False if kind == RESET_RET else broken
            _drop(event, owned)
            _drop(event, saved)
        elif kind == BROKEN:
            broken = True


_ENDS: Final = frozenset({PUSH, CANCEL, WAITS})
_DROPS: Final = frozenset({RESET_RET, QUEUE_RESET})


def _note_stop(owned: dict[int, Event], last: dict[int, int], report: Report) -> None:
    if owned:
        report.met(STOP_OWNED)
    if PARK in [last[request] for request in owned]:
        report.met(STOP_PARKED)


def _drop(reset: Event, requests: dict[int, Event]) -> None:
    """Remove all requests at a reset, those of the queue at a queue reset."""
    for request, event in list(requests.items()):
        if reset.kind == RESET_RET or event.queue == reset.queue:
            del requests[request]


def _report_list(
    owned: dict[int, Event], saved: dict[int, Event], ret: Event, report: Report
) -> None:
    for request, pop in owned.items():
        if request not in saved:
            sentence = (
                f"Request {request}, dequeued at turn {pop.turn}, was neither pushed nor on the "
                f"retry list when the VM had stopped at turn {ret.turn}."
            )
            report.violation(pop, ret, sentence, "nowhere")
    for request, retry in saved.items():
        if request not in owned:
            sentence = (
                f"Request {request}, on the retry list since turn {retry.turn}, had ended when the "
                f"VM had stopped at turn {ret.turn}."
            )
            report.violation(retry, ret, sentence, "ended")


@rule(
    "S17",
    title="While the VM is stopped nothing is dequeued, written, pushed or signalled.",
    source="QEMU do_vm_stop, vm_start",
    instead="Requests that have not ended when the VM stops wait for `cont`.",
    needs=(
        POP,
        MEMWRITE,
        PUSH,
        IRQ,
        DRAIN_END,
        VM_STOP_RET,
        VM_CONT,
    ),
    situations=(DRAIN_END_STOPPED,),
    witnesses=Witness.MEMORY,
    decisive=(VM_STOP_RET,),
    leads_to=(*REQUEST_GOES_ON,),
)
def S17(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """Checked from the return of `stop` to `cont`. Only the first event of a stop is reported."""
    stop: Event | None = None
    for event in events:
        kind = event.kind
        if kind == VM_STOP_RET:
            stop = event
        elif stop is None:
            continue
        elif kind == VM_CONT:
            stop = None
        elif kind == DRAIN_END:
            report.met(DRAIN_END_STOPPED)
        else:
            sentence = (
                f"The device {_ACTS[kind]} queue {event.queue} at turn {event.turn}, although the "
                f"VM had stopped at turn {stop.turn}."
            )
            report.violation(stop, event, sentence, _STATES[kind])
            stop = None


_ACTS: Final = {
    POP: "dequeued a request of",
    MEMWRITE: "wrote into guest memory for a request of",
    PUSH: "pushed a request of",
    IRQ: "signalled",
}
_STATES: Final = {POP: "pop", MEMWRITE: "memwrite", PUSH: "push", IRQ: "irq"}
