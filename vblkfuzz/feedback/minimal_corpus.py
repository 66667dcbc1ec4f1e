"""Corpus minimization: few, short inputs that together have all features of a corpus.

    Measured inputs --cover--> the inputs to keep

Used by `vblkfuzz cmin` (minimize a corpus) and `vblkfuzz merge` (add inputs with new features).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from vblkfuzz.feedback.features import Features


class HasData(Protocol):
    """An input, in whatever form."""

    @property
    def data(self) -> bytes:
        """The raw input."""


class Measured(NamedTuple):
    """An input and its features."""

    data: bytes
    features: Features


def cover(inputs: Iterable[Measured], covered: Features = frozenset()) -> list[Measured]:
    """Return inputs that together have all features of `inputs` beyond `covered`, shortest first.

    Short inputs are preferred: an input is kept only if it has a feature that the shorter ones
    lack. Each input kept has a feature that no other input kept has.
    """
    return cover_in_order(sorted(set(inputs), key=order), covered)


def order(one: HasData) -> tuple[int, bytes]:
    """Return the place of an input among others: shortest first."""
    return len(one.data), one.data


def cover_in_order(inputs: Iterable[Measured], covered: Features = frozenset()) -> list[Measured]:
    """Do the same for inputs that come in the order of `order`, each once.

    Only the features of those that may be kept are in memory together.
    """
    seen = set(covered)
    kept = []
    for one in inputs:
        if not one.features <= seen:
            kept.append(one)
            seen |= one.features
    return _needed(kept, covered)


def _needed(kept: list[Measured], covered: Features) -> list[Measured]:
    """Drop inputs whose features are all in other kept inputs or in `covered`; longest first."""
    counts = Counter(feature for one in kept for feature in one.features)
    counts.update(covered)
    for one in reversed(kept.copy()):
        if all(counts[feature] > 1 for feature in one.features):
            counts.subtract(one.features)
            kept.remove(one)
    return kept
