"""The features of one input: the reasons for which a campaign would keep it.

They are the same as in a campaign (`feedback.region`): blocks of guest and device code that ran,
and each event of the trace together with the state it happened in. Here they are returned per
input, to compare inputs without libFuzzer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from vblkfuzz.feedback.probed import probed_model

if TYPE_CHECKING:
    from vblkfuzz.feedback.region import Region
    from vblkfuzz.scenario.scenario import Scenario
    from vblkfuzz.targets.target import Target

Features = frozenset[int]
Measure = Callable[["Scenario"], Features]
"""Runs a scenario and returns its features; raises HarnessError if the trace is not complete."""


@contextmanager
def measuring(device: str, mode: str) -> Iterator[Measure]:
    """Start the model; yield the function that measures scenarios on it. Call once per process.

    Raises:
        UsageError: no such device or mode.
        RuntimeError: guest or device modules were imported before, so they cannot be instrumented.
    """
    target, coverage, _ = probed_model(device, mode)
    from vblkfuzz.feedback.region import Region

    with target:
        yield partial(features_of, target, coverage, Region(coverage))


def features_of(
    target: Target, coverage: memoryview, region: Region, scenario: Scenario
) -> Features:
    """Return the features of a scenario; the probes and `region` mark them in `coverage`."""
    coverage[:] = bytes(len(coverage))
    region.mark_states(target.run(scenario))
    return frozenset(at for at, marked in enumerate(coverage.tobytes()) if marked)
