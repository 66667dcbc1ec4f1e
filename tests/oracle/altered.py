"""A Hypothesis strategy: written cases in which some fields of events have other values.

A written case leads far into its rule, which events made at random rarely do.
"""

from __future__ import annotations

from hypothesis import strategies as st

from tests.oracle.case_file import Case
from tests.oracle.events import U8, U16, U64
from tests.oracle.test_cases import CASES
from vblkfuzz.trace.event import Event

VALUES = {
    "actor": U8,
    "queue": U8,
    "flag": U8,
    "head": U16,
    "request": U16,
    "epoch": U16,
    "value": U16,
    "path": U64,
    "length": st.integers(0, 0xFFFF_FFFF),
}
"""All that a record holds, but the turn and the kind."""


@st.composite
def altered(draw: st.DrawFn) -> tuple[Case, tuple[Event, ...]]:
    """A written case, and its events with up to four of their fields altered."""
    case = draw(st.sampled_from(CASES))
    events = list(case.events)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(events) - 1))
        name = draw(st.sampled_from(sorted(VALUES)))
        events[place] = events[place]._replace(**{name: draw(VALUES[name])})
    return case, tuple(events)
