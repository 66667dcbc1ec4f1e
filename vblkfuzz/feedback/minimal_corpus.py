"""Which inputs of a corpus are worth keeping: few and short ones that have all its features.

    Measured inputs --cover--> those that stay

Used by `vblkfuzz cmin` (of one corpus) and `vblkfuzz merge` (what others add to one).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from vblkfuzz.feedback.features import Features


class Measured(NamedTuple):
    """An input and its features."""

    data: bytes
    features: Features


def cover(inputs: Iterable[Measured], covered: Features = frozenset()) -> list[Measured]:
    """Return inputs that have all features of `inputs` that are not covered yet, shortest first.

    Short inputs are preferred: an input stays only if no shorter ones have all it has, and none
    that stays could be left out.
    """
    seen = set(covered)
    kept = []
    for one in sorted(set(inputs), key=lambda each: (len(each.data), each.data)):
        if not one.features <= seen:
            kept.append(one)
            seen |= one.features
    return _needed(kept, covered)


def _needed(kept: list[Measured], covered: Features) -> list[Measured]:
    """Leave out what longer inputs, kept for something else, have as well; longest first."""
    counts = Counter(feature for one in kept for feature in one.features)
    counts.update(covered)
    for one in reversed(kept.copy()):
        if all(counts[feature] > 1 for feature in one.features):
            counts.subtract(one.features)
            kept.remove(one)
    return kept
