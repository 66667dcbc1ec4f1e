"""A violation in a dozen lines, for the failure message of a test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.trace.render import render
from vblkfuzz.triage.overtaken import overtaken

if TYPE_CHECKING:
    from vblkfuzz.oracle.violation import Violation
    from vblkfuzz.trace.trace import Trace

_ROWS: Final = 10


def excerpt(violation: Violation, trace: Trace) -> str:
    """Return the sentence, path and signature of a violation and at most ten rows of the trace.

    Always among them are the two events of the clash, then the latest of what the schedule
    overtook or delayed. The others are those before the second event.
    """
    rows = [trace.events[place] for place in _places(violation, trace)]
    path = f"path: {violation.path}\n" if violation.path else ""
    text = render(rows, (violation.first, violation.second))
    return (
        f"{violation.rule}: {violation.sentence}\n{path}signature: {violation.signature}\n\n{text}"
    )


def _places(violation: Violation, trace: Trace) -> list[int]:
    """Return the places of the rows in the trace, in its order."""
    events = trace.events
    clash = {events.index(violation.first), events.index(violation.second)}
    window = set(violation.window(trace))
    others = {place for place in range(min(clash), max(clash)) if events[place] in window}
    chosen = list(clash)
    for more in (overtaken(violation, trace), others):
        chosen += sorted(more - set(chosen), reverse=True)[: _ROWS - len(chosen)]
    return sorted(chosen)
