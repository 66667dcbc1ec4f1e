"""Two searches for one bug, compared: is one sooner, by how much, and how sure is that?

* A12 (Vargha and Delaney): the probability that a trial of the first search needs less than one of
  the second; a tie counts half. 0.5: no difference, 0.71 and more: a large one.
* Mann-Whitney U, two-sided: the probability of such ranks if there were no difference.
* Log-rank test: the same, of the survival functions.

For A12 and U all trials are cut at one limit, the least at which a trial of either search was
censored. What needs more is tied, above all that needs less. Usually each trial has the same limit
of executions, and the cut changes nothing. The log-rank test takes the limits as they are.

Intervals are bootstrap percentiles, 95 %. Chance has a fixed seed: equal results give equal
figures.
"""

from __future__ import annotations

from math import inf, isnan
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vblkfuzz.bench.sample import Sample, censored_data, survival

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LARGE: Final = 0.71
"""A12 from which a difference is large (Vargha and Delaney 2000); 1 - LARGE in the other
direction."""
SIGNIFICANT: Final = 0.05
_RESAMPLES: Final = 2000
_SEED: Final = 1
_NEVER: Final = 1e150
"""Instead of infinity, with which scipy cannot compute a standard error."""


class Interval(NamedTuple):
    """A figure and its bootstrap interval."""

    value: float
    low: float
    high: float


class Comparison(NamedTuple):
    """The first search against the second."""

    a12: Interval
    rank_p: float
    """Mann-Whitney."""
    logrank_p: float

    @property
    def result(self) -> str:
        """Of the first search: better or worse, if that is large and significant, else open."""
        if self.rank_p >= SIGNIFICANT:
            return "open"
        if self.a12.value >= LARGE:
            return "better"
        return "worse" if self.a12.value <= 1 - LARGE else "open"


def compare(first: Sample, second: Sample) -> Comparison:
    """Compare two samples, none of them empty."""
    limit = min(first.limit, second.limit)
    values = first.cut(limit), second.cut(limit)
    return Comparison(_interval(values, _a12), _mann_whitney(*values), _logrank(first, second))


def median_of(sample: Sample) -> Interval:
    """Return the median by Kaplan and Meier; the interval is of the sample cut at its limit.

    A bound that is infinite is above the limit.
    """
    values = sample.cut(sample.limit)
    middle = (len(values) - 1) // 2

    def lower_median(of: Any, axis: int = -1) -> Any:  # noqa: ANN401  # numpy arrays
        import numpy as np

        return np.take(np.sort(of, axis=axis), middle, axis=axis)

    _, low, high = _interval((values,), lower_median)
    return Interval(survival(sample).median, low, high)


def _a12(first: Any, second: Any, axis: int = -1) -> Any:  # noqa: ANN401  # numpy arrays
    """Return A12 of arrays whose last axis holds the values."""
    import numpy as np

    one, other = np.expand_dims(first, -1), np.expand_dims(second, -2)
    return np.mean((one < other) + 0.5 * (one == other), axis=(-2, -1))


def _interval(samples: Sequence[list[float]], statistic: Callable[..., Any]) -> Interval:
    """Return a statistic of samples with its interval."""
    import numpy as np
    from scipy.stats import bootstrap

    value = float(statistic(*(np.asarray(one) for one in samples)))
    if all(len(set(one)) == 1 for one in samples):  # each resample is the sample
        return Interval(value, value, value)
    random = np.random.default_rng(_SEED)
    options: dict[str, Any] = {"method": "percentile", "n_resamples": _RESAMPLES, "rng": random}
    # scipy wants two values of each: one value twice has the same resamples.
    finite = [np.minimum(one * 2 if len(one) == 1 else one, _NEVER) for one in samples]
    found = bootstrap(finite, statistic, vectorized=True, axis=-1, **options)
    # Percentiles lie between two values: also above the limit if only one of them is.
    low, high = (inf if one > _NEVER / 1e6 else float(one) for one in found.confidence_interval)
    return Interval(value, low, high)


def _mann_whitney(first: list[float], second: list[float]) -> float:
    from scipy.stats import mannwhitneyu

    if len({*first, *second}) == 1:
        return 1.0  # all are tied
    return float(mannwhitneyu(first, second, alternative="two-sided").pvalue)


def _logrank(first: Sample, second: Sample) -> float:
    import numpy as np
    from scipy.stats import logrank

    if not first.found and not second.found:
        return 1.0  # nothing was found
    with np.errstate(invalid="ignore", divide="ignore"):
        p = float(logrank(censored_data(first), censored_data(second)).pvalue)
    return 1.0 if isnan(p) else p  # NaN: all findings were at one time
