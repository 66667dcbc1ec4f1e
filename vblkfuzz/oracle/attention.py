"""UNIT ATTENTION, for S21: virtio-scsi asks for a request again for a reason only.

Each reset, and each change of the unit, makes the next request end with RETRY (SAM-5, 5.14). A
device that asks without end serves nothing, and no rule of answers would say so. Causes are counted
generously: whatever the operator does may be one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vblkfuzz.oracle.rule import Report
from vblkfuzz.scenario.alphabet.guest import FUNCTIONS
from vblkfuzz.scenario.alphabet.ops import OPS
from vblkfuzz.trace.ending import RETRY
from vblkfuzz.trace.event import Event
from vblkfuzz.trace.kinds import (
    COLLECT,
    DRIVER_INIT,
    HOSTILE,
    OP,
    RESET_RET,
)
from vblkfuzz.trace.scsi_kinds import TMF

_OPERATOR: Final = frozenset(spec.code for spec in OPS if spec.owner == "operator")
_RESETS: Final = frozenset(map(FUNCTIONS.index, ("logical_unit_reset", "i_t_nexus_reset")))
_PER_CAUSE: Final = 2
"""A new unit tells a reset, and that it is there."""


def judge_attention(events: Sequence[Event], units: int, report: Report) -> None:
    """Report the first RETRY of a trace that has no cause; none once the protocol is broken.

    Each of the `units` may ask for a cause.
    """
    of_one = _PER_CAUSE * units
    left, cause = of_one, events[0]
    for event in events:
        if event.kind == HOSTILE:
            return
        if _is_cause(event):
            left, cause = left + of_one, event
        elif event.kind == COLLECT and event.flag == RETRY:
            if not left:
                _report(cause, event, report)
                return
            left -= 1


def _is_cause(event: Event) -> bool:
    kind, flag = event.kind, event.flag
    if kind == OP:
        return flag in _OPERATOR
    if kind == TMF:
        return flag in _RESETS
    return kind == RESET_RET or (kind == DRIVER_INIT and not flag)


def _report(cause: Event, collect: Event, report: Report) -> None:
    sentence = (
        f"The guest was asked for a request again at turn {collect.turn}, and more often than for "
        f"all causes up to the last one (turn {cause.turn})."
    )
    report.violation(cause, collect, sentence, "retry")
