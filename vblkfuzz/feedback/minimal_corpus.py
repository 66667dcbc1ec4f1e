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
    seen = set(covered)
    kept = []
    for one in sorted(set(inputs), key=order):
        if not one.features <= seen:
            kept.append(one)
            seen |= one.features
    return _needed(kept, covered)


def order(one: HasData) -> tuple[int, bytes]:
    """Return the place of an input among others: shortest first."""
    return len(one.data), one.data


def _needed(kept: list[Measured], covered: Features) -> list[Measured]:
    """Drop inputs whose features are all in other kept inputs or in `covered`; longest first."""
    counts = Counter(feature for one in kept for feature in one.features)
    counts.update(covered)
    needed = []
    for one in reversed(kept):
        if all(counts[feature] > 1 for feature in one.features):
            counts.subtract(one.features)
        else:
            needed.append(one)
    return needed[::-1]


class Cover:
    """Inputs that together have all features, while further ones come in any order.

    Each is the first, in the order of `order`, of those that have one of its features. An input
    costs a look at each of its features, however many came before it.
    """

    def __init__(self) -> None:
        self._first: dict[int, bytes] = {}
        """By feature, the first input that has it."""
        self._firsts: Counter[bytes] = Counter()
        """By input, of how many features it is the first one."""

    def __len__(self) -> int:
        """Return the number of inputs."""
        return len(self._firsts)

    def __contains__(self, data: bytes) -> bool:
        """Whether it is one of them."""
        return data in self._firsts

    def add(self, data: bytes, features: Iterable[int]) -> list[bytes]:
        """Take an input; return those that are not needed any more, which may be itself."""
        rank, needless = (len(data), data), []
        for feature in features:
            before = self._first.get(feature)
            if before is not None:
                if (len(before), before) <= rank:
                    continue
                self._firsts[before] -= 1
                if not self._firsts[before]:
                    del self._firsts[before]
                    needless.append(before)
            self._first[feature] = data
            self._firsts[data] += 1
        return needless if data in self._firsts else [data]
