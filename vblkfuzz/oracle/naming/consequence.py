"""Which violations of a trace are consequences of another one.

One mistake can break several rules: a request that is wrongly dequeued is parked, missed by the
next reset and pushed into the rings of the next driver, which breaks S1, S4, S6 and S7. Only the
first of such a chain is a cause and gets a folder. A rule lists the rules that its violations can
lead to (`leads_to`); both must be broken in the same trace, in that order. So a separate bug that
always follows another one stays hidden until that one is fixed, or until a trace has it alone.
Reasons: docs/decisions/0007.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from vblkfuzz.trace.kinds import END, START_RET, STEP_LIMIT, STOP_RET

if TYPE_CHECKING:
    from vblkfuzz.oracle.violation import Violation

REQUEST_GOES_ON: Final = (
    *("S4", "S5", "S6", "S7", "S14", "S16", "S17", "S18", "S21", "S22", "S23", "S24", "S25", "L3"),
    *("S29", "S30", "S34", "S35"),
)
"""Rules that are broken as a consequence if a request goes on that should not.

S25 is, because a request of the last driver can break the device of the next one.
"""

STAYS_ATTACHED: Final = ("S8", "S9", "S13")
"""Rules that are broken as a consequence if a notifier is attached that should not be."""

OF_PROBE: Final = ("S40", "S38")
"""Rules of the probe, which asks last: any other violation may be the cause of what they find. A
wrong count may be the cause of a dead queue."""

_FROM_HANDLERS: Final = ("host_notifier_read", "poll")
"""Paths on which an attached handler dequeues, as it does after a wrong attachment."""

_DEQUEUED: Final = ("S1", "S17")
"""Rules against dequeuing at the wrong time."""

_AT_THE_END: Final = frozenset({END, STEP_LIMIT})
_TOO_LATE: Final = frozenset({STOP_RET, START_RET})
"""Events at which S8 reports a notifier that was attached earlier."""


def causes(violations: Sequence[Violation]) -> tuple[Violation, ...]:
    """Return those of `violations`, which are in trace order, that follow from no other one."""
    kept = [one for one in violations if not any(_is_lost(one, each) for each in violations)]
    ordered = sorted(kept, key=_since)
    return tuple(
        one
        for place, one in enumerate(ordered)
        if not any(_leads_to(before, one) for before in ordered[:place])
    )


def _since(violation: Violation) -> tuple[int, bool, bool]:
    """Key that orders violations by the turn since which something is wrong.

    Violations found at the end of the trace come last, even in the same turn. Of these, calls that
    did not return (L2) come first, because everything else waits for them.
    """
    too_late = violation.rule == "S8" and violation.second.kind in _TOO_LATE
    at = violation.first if too_late else violation.second
    return at.turn, at.kind in _AT_THE_END, violation.rule != "L2"


def _leads_to(first: Violation, later: Violation) -> bool:
    if later.rule in OF_PROBE:
        return first.rule not in OF_PROBE or first.rule == "S40" != later.rule
    naming = first.naming
    more = dict(naming.leads_to_in).get(first.state, frozenset())
    if later.rule not in naming.leads_to and later.rule not in more:
        return False
    return first.rule != "S8" or later.rule not in _DEQUEUED or later.path in _FROM_HANDLERS


def _is_lost(waited: Violation, later: Violation) -> bool:
    """Whether `waited`, a drain or a stop that returned too early, has a lost request as its cause.

    A later S7 or L3 with the same state shows that the request was lost.
    """
    doing = later.state.rpartition("-")[2]
    if later.rule not in ("S7", "L3") or doing not in ("done", "written", "asleep"):
        return False
    if waited.rule != "S16":
        return waited.rule == "S3" and waited.state == doing
    was = "asleep" if doing == "asleep" else "under_way"
    return waited.state == f"nowhere-{was}" and waited.first.request == later.first.request
