"""Hypothesis strategies: any event record, and events that rules find related to each other."""

from __future__ import annotations

from hypothesis import strategies as st

from vblkfuzz.oracle.judge import RULES
from vblkfuzz.trace.event import Event

U8 = st.integers(0, 0xFF)
U16 = st.integers(0, 0xFFFF)
U64 = st.integers(0, 0xFFFF_FFFF_FFFF_FFFF)
KINDS = sorted({int(kind) for rule in RULES for kind in rule.needs})


def events() -> st.SearchStrategy[Event]:
    """Any record of a trace ring."""
    return st.builds(Event, st.integers(0, 0xFFFF_FFFF), U8, U8, U8, U8, U16, U16, U16, U16, U64)


def clashing_events() -> st.SearchStrategy[Event]:
    """Events of kinds that rules read, with so few values that they concern each other."""
    few = st.integers(0, 2)
    return st.builds(
        Event,
        st.just(0),
        st.sampled_from(KINDS),
        st.integers(0, 4),
        st.integers(0, 1),
        st.integers(0, 1),
        few,
        few,
        st.integers(0, 1),
        few,
        st.sampled_from((0, 0x02, 0x0206)),
    )


def traces() -> st.SearchStrategy[tuple[Event, ...]]:
    """Any sequence of events, with turns in order."""
    some = st.lists(events() | clashing_events(), max_size=40)
    return some.map(lambda found: tuple(e._replace(turn=turn) for turn, e in enumerate(found)))
