"""A sample: what the trials of one search for one bug needed, in executions or CPU seconds.

A trial that found nothing is *censored*: it would have needed more than it had. No value is made up
for it. The survival function S(t), the share of trials that need more than t, is estimated by
Kaplan and Meier: a censored trial counts among those at risk up to its limit, and then leaves. A
finding and a limit at the same t count in this order.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vblkfuzz.bench.trial import Trial


class Sample(NamedTuple):
    """What trials needed."""

    found: tuple[float, ...]
    """Of those that found the bug."""
    censored: tuple[float, ...] = ()
    """What the others had."""

    @property
    def size(self) -> int:
        """Number of trials."""
        return len(self.found) + len(self.censored)

    @property
    def limit(self) -> float:
        """The least at which a trial was censored; infinite if none was."""
        return min(self.censored, default=inf)

    def cut(self, limit: float) -> list[float]:
        """Return the values, in order; infinite for those above the limit, and for censored ones.

        All censored ones must have had at least `limit`: then this is what the trials would have
        shown with that limit.
        """
        below = sorted(value if value <= limit else inf for value in self.found)
        return below + [inf] * len(self.censored)


def executions(trials: Iterable[Trial]) -> Sample:
    """Return the executions that trials needed."""
    return _sample((one.execs, one.found) for one in trials)


def cpu_seconds(trials: Iterable[Trial]) -> Sample:
    """Return the CPU seconds that trials needed."""
    return _sample((one.cpu_s, one.found) for one in trials)


def _sample(values: Iterable[tuple[float, str]]) -> Sample:
    pairs = sorted(values)
    return Sample(
        tuple(value for value, found in pairs if found),
        tuple(value for value, found in pairs if not found),
    )


class Survival(NamedTuple):
    """An estimate of the survival function: a step at each time of a finding."""

    times: tuple[float, ...]
    """Ascending."""
    shares: tuple[float, ...]
    """S(t) at and after each of them, up to the next one."""
    end: float
    """The last time that is known of: nothing is estimated after it."""

    @property
    def median(self) -> float:
        """The least t with S(t) <= 1/2; infinite if there is none."""
        at_half = (time for time, share in zip(*self[:2], strict=True) if share <= 0.5 + 1e-12)
        return next(at_half, inf)


def survival(sample: Sample) -> Survival:
    """Return the estimate of Kaplan and Meier; the sample must not be empty."""
    from scipy.stats import ecdf

    estimate = ecdf(censored_data(sample)).sf
    steps = [
        (float(time), float(share))
        for time, share in zip(estimate.quantiles, estimate.probabilities, strict=True)
        if time in sample.found
    ]
    return Survival(
        tuple(time for time, _ in steps),
        tuple(share for _, share in steps),
        max(sample.found + sample.censored),
    )


def censored_data(sample: Sample) -> Any:  # noqa: ANN401  # scipy.stats.CensoredData
    """Return the sample as scipy takes it."""
    from scipy.stats import CensoredData

    return CensoredData(uncensored=sample.found, right=sample.censored)
