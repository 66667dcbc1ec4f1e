"""Features as numbers, in the way that libFuzzer counts them: a place, and how often it was passed.

    counters --numbers_in--> numbers --mark--> counters for which libFuzzer sees the same features

libFuzzer tells eight ranges of a counter apart: 1, 2, 3, 4 to 7, 8 to 15, 16 to 31, 32 to 127, and
more. The number of a feature is eight times its place, plus that of the range.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

PER_PLACE: Final = 8
"""Features of one counter."""
_LEAST: Final = (1, 2, 3, 4, 8, 16, 32, 128)
"""Lowest count of each range."""
_RANGE: Final = tuple(sum(count >= least for least in _LEAST) - 1 for count in range(256))
_MARKED: Final = re.compile(rb"[^\0]")


def numbers_in(counters: bytes) -> list[int]:
    """Return the features that counters show, in increasing order."""
    places = [found.start() for found in _MARKED.finditer(counters)]
    return [PER_PLACE * place + _RANGE[counters[place]] for place in places]


def mark(counters: memoryview, numbers: Iterable[int]) -> None:
    """Set the counters of features; others stay as they are.

    Raises:
        IndexError: there is no such counter.
    """
    for number in numbers:
        counters[number // PER_PLACE] = _LEAST[number % PER_PLACE]
