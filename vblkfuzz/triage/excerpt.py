"""A violation in a dozen lines, for the failure message of a test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vblkfuzz.trace.render import render

if TYPE_CHECKING:
    from vblkfuzz.oracle.violation import Violation
    from vblkfuzz.trace.trace import Trace

_ROWS: Final = 10


def excerpt(violation: Violation, trace: Trace) -> str:
    """Return the sentence, path and signature of a violation and at most ten rows of the trace.

    The rows end with the second event of the clash; the first event is always among them.
    """
    window = violation.window(trace)
    rows = window if len(window) <= _ROWS else (window[0], *window[-(_ROWS - 1) :])
    path = f"path: {violation.path}\n" if violation.path else ""
    text = render(rows, (violation.first, violation.second))
    return (
        f"{violation.rule}: {violation.sentence}\n{path}signature: {violation.signature}\n\n{text}"
    )
