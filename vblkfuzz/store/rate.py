"""A rate: in how many of some runs a bug showed, with its 95 % confidence interval.

The interval is Wilson's score interval: E. B. Wilson, "Probable Inference, the Law of Succession,
and Statistical Inference", Journal of the American Statistical Association 22 (1927), pages 209 to
212. Unlike the interval of the textbook it is of use for few runs, and if none or all of them show
the bug: L. D. Brown, T. T. Cai, A. DasGupta, "Interval Estimation for a Binomial Proportion",
Statistical Science 16 (2001), pages 101 to 133, recommend it for 40 runs or fewer.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any, Final, NamedTuple

from vblkfuzz.counted import counted

_Z: Final = 1.959963984540054
"""Quantile 0.975 of the normal distribution: 2.5 % lie above it, as many below its negative."""


class Interval(NamedTuple):
    """Bounds of a probability, from 0 to 1."""

    low: float
    high: float

    def __str__(self) -> str:
        """Return it in words.

        >>> str(Interval(0.7638, 0.9911))
        '76 to 99 %'
        """
        return f"{100 * self.low:.0f} to {100 * self.high:.0f} %"


def wilson(seen: int, runs: int) -> Interval:
    """Return the 95 % interval of a probability that was seen in `seen` of `runs` runs.

    Without runs nothing is known: the interval is 0 to 1.
    """
    if not runs:
        return Interval(0.0, 1.0)
    share, square = seen / runs, _Z * _Z / runs
    centre = share + square / 2
    half = _Z * sqrt(share * (1 - share) / runs + square / (4 * runs))
    scale = 1 + square
    # Exact at the ends, where rounding would leave the bounds a little inside or outside.
    low = 0.0 if seen == 0 else (centre - half) / scale
    high = 1.0 if seen == runs else (centre + half) / scale
    return Interval(low, high)


@dataclass(frozen=True, slots=True)
class Rate:
    """In how many runs a bug showed.

    Raises:
        ValueError: the counts cannot be.
    """

    seen: int = 0
    """Runs that showed it."""
    runs: int = 0
    """Runs with a verdict."""
    harness_errors: int = 0
    """Runs without a verdict: they say nothing about the bug, and do not count as runs."""

    def __post_init__(self) -> None:
        """Check the counts."""
        if not 0 <= self.seen <= self.runs or self.harness_errors < 0:
            raise ValueError(f"rate: expected 0 <= seen <= runs, found {self.seen} of {self.runs}")

    def __add__(self, other: Rate) -> Rate:
        """Return the rate over the runs of both."""
        return Rate(
            self.seen + other.seen,
            self.runs + other.runs,
            self.harness_errors + other.harness_errors,
        )

    @property
    def interval(self) -> Interval:
        """The 95 % interval of the probability that the bug shows."""
        return wilson(self.seen, self.runs)

    @property
    def varies(self) -> bool:
        """Whether the bug showed in some of the runs only."""
        return 0 < self.seen < self.runs

    @property
    def counts(self) -> str:
        """The rate without its interval, for a device that is deterministic."""
        return f"{self.seen} of {self.runs}{self._errors}"

    def __str__(self) -> str:
        """Return the rate in words.

        >>> str(Rate(19, 20)), str(Rate(3, 3, harness_errors=2))
        ('19 of 20 (76 to 99 %)', '3 of 3 (44 to 100 %), 2 harness errors')
        """
        interval = f" ({self.interval})" if self.runs else ""
        return f"{self.seen} of {self.runs}{interval}{self._errors}"

    @property
    def _errors(self) -> str:
        return f", {counted(self.harness_errors, 'harness error')}" if self.harness_errors else ""

    def to_json(self) -> dict[str, Any]:
        """Return it in JSON values, with the bounds of the interval."""
        low, high = self.interval
        return {
            "seen": self.seen,
            "runs": self.runs,
            "harness_errors": self.harness_errors,
            "low": round(low, 4),
            "high": round(high, 4),
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Rate:
        """Return what `to_json` has returned.

        Raises:
            KeyError, TypeError, ValueError, OverflowError: it has not.
        """
        rate = cls(*(int(values[key]) for key in ("seen", "runs", "harness_errors")))
        _ = rate.interval  # raises OverflowError for counts that no runs can have
        return rate
