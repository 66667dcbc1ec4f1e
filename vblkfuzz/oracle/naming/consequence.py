"""Which violations of one trace follow from another one.

A request that was dequeued when it should not have been is parked, forgotten by the next reset and
pushed into the rings of the next driver: one mistake, and S1, S4, S6 and S7 all speak up. Only the
first of such a chain is a cause and gets a folder of its own. A rule says which ones it can break
in turn (`leads_to`); both must be broken in the same trace, in that order. A bug of its own that
always comes behind another one is thus hidden until that one is fixed, or is met in a trace without
it. Why so: docs/decisions/0007.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from vblkfuzz.trace.kinds import END, START_RET, STEP_LIMIT, STOP_RET

if TYPE_CHECKING:
    from vblkfuzz.oracle.violation import Violation

REQUEST_GOES_ON: Final = ("S4", "S5", "S6", "S7", "S14", "S16", "S17", "L3")
"""Rules broken in turn where a request goes on that should not."""

STAYS_ATTACHED: Final = ("S8", "S9", "S13")
"""Rules broken in turn where a notifier is attached that should not be."""

_FROM_HANDLERS: Final = ("host_notifier_read", "poll")
"""Paths of dequeuing by a handler that is attached: what a wrong attachment leads to."""

_DEQUEUED: Final = ("S1", "S17")
"""Rules about who dequeues when nobody should."""

_AT_THE_END: Final = frozenset({END, STEP_LIMIT})
_TOO_LATE: Final = frozenset({STOP_RET, START_RET})
"""Events at which S8 says that a notifier was attached some time before."""


def causes(violations: Sequence[Violation]) -> tuple[Violation, ...]:
    """Return the violations, given in trace order, that follow from no other one."""
    to_blame = [one for one in violations if not any(_is_lost(one, each) for each in violations)]
    ordered = sorted(to_blame, key=_since)
    return tuple(
        one
        for place, one in enumerate(ordered)
        if not any(_leads_to(before, one) for before in ordered[:place])
    )


def _since(violation: Violation) -> tuple[int, bool, bool]:
    """Order by the turn since when something was wrong.

    What is judged at the end of a trace comes last, also where that is in the same turn. It is
    found at one event: there, calls that never returned come first, since all else waits for them.
    """
    too_late = violation.rule == "S8" and violation.second.kind in _TOO_LATE
    at = violation.first if too_late else violation.second
    return at.turn, at.kind in _AT_THE_END, violation.rule != "L2"


def _leads_to(first: Violation, later: Violation) -> bool:
    naming = first.naming
    more = dict(naming.leads_to_in).get(first.state, frozenset())
    if later.rule not in naming.leads_to and later.rule not in more:
        return False
    return first.rule != "S8" or later.rule not in _DEQUEUED or later.path in _FROM_HANDLERS


def _is_lost(waited: Violation, later: Violation) -> bool:
    """Whether a drain or a stop returned too early only because a request got lost.

    That it is lost, a reset or the end of the trace shows: there it is still doing the same.
    """
    doing = later.state.rpartition("-")[2]
    if later.rule not in ("S7", "L3") or doing not in ("done", "written", "asleep"):
        return False
    if waited.rule != "S16":
        return waited.rule == "S3" and waited.state == doing
    was = "asleep" if doing == "asleep" else "under_way"
    return waited.state == f"nowhere-{was}" and waited.first.request == later.first.request
