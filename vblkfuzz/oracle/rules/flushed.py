"""The rule of the stopped VM's disk: S27. A stop of the VM flushes what it has drained.

Migration and snapshots take a stopped VM, and so its disk, for complete: what a write has put there
must outlast a loss of power from then on, whether the driver has flushed or not. So between the
call of the stop and its return, and after the last write has ended, the backend is flushed. A rule
of the content of the disk (S14) would see a missing flush only if the power is lost. Source: QEMU
do_vm_stop (bdrv_drain_all, then bdrv_flush_all).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vblkfuzz.oracle.rule import Report, Situation, rule
from vblkfuzz.scenario.alphabet.guest import REQUESTS
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import FLUSHED, IO_DONE, SUBMIT, VM_STOP_CALL, VM_STOP_RET

STOP_FLUSHES = Situation("stop_flushes_a_write", "A stop of the VM flushed a write.")

_WRITES: Final = frozenset(REQUESTS.index(name) for name in ("out", "discard", "write_zeroes"))


@rule(
    "S27",
    title="A stop of the VM flushes the disk, after the last write has ended.",
    source="QEMU do_vm_stop, bdrv_flush_all",
    instead="A stop drains the device, then flushes the backend, then returns.",
    needs=(SUBMIT, IO_DONE, FLUSHED, VM_STOP_CALL, VM_STOP_RET),
    situations=(STOP_FLUSHES,),
    decisive=(VM_STOP_RET,),
    path="none",
)
def S27(scenario: Scenario, events: Sequence[Event], report: Report) -> None:
    """A flush by the driver does not count: the stop cannot rely on it."""
    writes: set[int] = set()
    ended: Event | None = None
    early = False
    for event in events:
        kind = event.kind
        if kind == SUBMIT:
            if event.flag in _WRITES:
                writes.add(event.request)
        elif kind == IO_DONE:
            if event.request in writes and event.flag == 0:
                ended = event
        elif kind == FLUSHED:
            if event.request:  # the disk writes through: of one write only
                continue
            early = True
            if ended is not None:
                report.met(STOP_FLUSHES)
                ended = None
        elif kind == VM_STOP_CALL:
            early = False
        elif ended is not None:  # VM_STOP_RET
            _report(ended, event, report, early=early)
            ended = None


def _report(ended: Event, stopped: Event, report: Report, *, early: bool) -> None:
    sentence = (
        f"The stop of the VM returned at turn {stopped.turn}, but no flush followed the write that "
        f"had ended at turn {ended.turn}."
    )
    report.violation(ended, stopped, sentence, "early" if early else "")
