"""Cells of tables of `vblkfuzz bench detect`: numbers as text."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vblkfuzz.bench.comparison import Comparison, Interval


def count(value: float) -> str:
    """Return a number of executions; a dash: it is above the limit.

    >>> count(12345.0), count(float("inf"))
    ('12,345', '-')
    """
    return "-" if value == inf else f"{value:,.0f}"


def seconds(value: float) -> str:
    """Return CPU seconds; a dash: they are above the limit.

    >>> seconds(1.26)
    '1.3'
    """
    return "-" if value == inf else f"{value:,.1f}"


def interval_of_counts(median: Interval) -> str:
    """Return a median with its interval.

    >>> from vblkfuzz.bench.comparison import Interval
    >>> interval_of_counts(Interval(1200.0, 90.5, float("inf")))
    '1,200 [90, -]'
    """
    return f"{count(median.value)} [{count(median.low)}, {count(median.high)}]"


def effect(comparison: Comparison | None) -> str:
    """Return A12 with its interval; empty: there is no comparison."""
    if comparison is None:
        return ""
    value, low, high = comparison.a12
    return f"{value:.2f} [{low:.2f}, {high:.2f}]"


def probability(p: float) -> str:
    """Return a p-value.

    >>> probability(0.0004), probability(0.0312)
    ('<0.001', '0.031')
    """
    return "<0.001" if p < 0.001 else f"{p:.3f}"
