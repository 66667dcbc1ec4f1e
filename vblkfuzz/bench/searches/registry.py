"""All searches by name, in the order of tables: the one that others are compared with is first."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from vblkfuzz.bench.searches import (
    byte_mutations,
    default,
    no_feedback,
    no_schedule,
    no_states,
    pct,
    state_machine,
    uniform,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vblkfuzz.bench.searches.search import Search

_ALL: Final[tuple[Search, ...]] = (
    default.SEARCH,
    uniform.SEARCH,
    no_feedback.SEARCH,
    no_states.SEARCH,
    no_schedule.SEARCH,
    pct.SEARCH,
    byte_mutations.SEARCH,
    state_machine.SEARCH,
)
SEARCHES: Final[Mapping[str, Search]] = MappingProxyType({one.name: one for one in _ALL})
DEFAULT: Final = default.SEARCH.name
"""The search that all others are compared with."""
