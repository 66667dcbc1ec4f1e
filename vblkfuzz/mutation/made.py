"""How an input was made: what the mutator, and whoever decides after it, knows without effort."""

from __future__ import annotations

from typing import Final, NamedTuple


class Made(NamedTuple):
    """How an input was made; empty: not known, or not by this campaign."""

    by: tuple[str, ...] = ()
    """Names of edits and schedulers, in their order; "new": the story was made of nothing."""
    of: tuple[bytes, ...] = ()
    """The inputs that it was made of."""


NOT_KNOWN: Final = Made()
