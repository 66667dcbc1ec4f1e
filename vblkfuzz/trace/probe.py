"""The probe: what the harness has the guest do after a scenario, to see whether the device works.

Its operations are in the trace, before END, marked in `head` of OP. They are no part of the
scenario: a situation that only the probe meets was not met, and what the probe finds is judged by
the rules of the probe alone (docs/decisions/0017).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.trace.kinds import CRASH, END, HANG, OP, STEP_LIMIT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vblkfuzz.trace.event import Event

EPILOGUE, PROBE = 1, 2
"""Values of `head` of an OP that the scenario does not have."""
_ENDS: Final = frozenset({OP, END, STEP_LIMIT, CRASH, HANG})
"""Kinds that tell how the trace ends, and in which operation."""


def probe_of(events: Sequence[Event]) -> Sequence[Event]:
    """Return the events from the beginning of the probe on; none if there was no probe."""
    return events[_begin(events) :]


def without_probe(events: Sequence[Event]) -> Sequence[Event]:
    """Return the events without those of the probe; how the trace ends is kept."""
    begin = _begin(events)
    if begin == len(events):
        return events
    ending = [event for event in events[begin:] if event.kind in _ENDS]
    return (*events[:begin], *ending)


def _begin(events: Sequence[Event]) -> int:
    at = (at for at, event in enumerate(events) if event.kind == OP and event.head == PROBE)
    return next(at, len(events))
