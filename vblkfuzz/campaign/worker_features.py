"""The features of a worker: how many it has seen, and what is noted of each execution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.feedback import libfuzzer_core
from vblkfuzz.feedback.device_coverage import begin, features_of, problem_of
from vblkfuzz.launch.plan import Stat

if TYPE_CHECKING:
    from vblkfuzz.campaign.counting import Counting
    from vblkfuzz.feedback.device_coverage import EdgeFeatures, FunctionFeatures
    from vblkfuzz.feedback.region import Region
    from vblkfuzz.targets.coverage.coverage import Coverage
    from vblkfuzz.targets.target import Target


class WorkerFeatures:
    """Counts features into the statistics of a worker.

    Args:
        region: the coverage region; None: libFuzzer gets no coverage.
        statistics: counters by `Stat`.
    """

    def __init__(self, region: Region | None, statistics: memoryview) -> None:
        self._region = region
        self._statistics = statistics
        self._device: FunctionFeatures | EdgeFeatures | None = None
        """Coverage of the device's own code."""
        self.counting: Counting | None = None
        """What counts the executions that had a feature, if anything does."""
        self._begun = False

    def begin(self, target: Target, kind: str) -> list[str]:
        """Begin, in the first execution; return what makes the feedback weak. Later: nothing.

        Args:
            target: started.
            kind: as in ``--coverage``.

        Raises:
            HarnessError: libFuzzer cannot be given a region.
        """
        if self._begun or self._region is None:
            return []
        self._begun = True
        self._region.register()
        coverage: Coverage | None = getattr(target, "coverage", None)
        self._device = features_of(coverage)
        begin(self._device)
        problem = problem_of(coverage, kind)
        weak = [f"no coverage of the device: {problem}"] if problem else []
        return [*weak, libfuzzer_core.NO_MUTATOR] if libfuzzer_core.is_preloaded() else weak

    def passed_by(self) -> int:
        """As `ran`, of an input that says nothing: it has one feature, so that libFuzzer keeps it.

        Without an input to keep, libFuzzer ends.
        """
        if self._region is not None:
            self._region.mark_nothing()
        return self.marked()

    def ran(self) -> int:
        """Note the features of an execution that has ended; return them as the bits of an integer.

        0: libFuzzer gets no coverage.
        """
        features = self.marked()
        if self.counting is not None and self._region is not None:
            self.counting.note(features)
        return features

    def marked(self) -> int:
        """As `ran`, of features that are on record, so nothing was executed."""
        if self._region is None:
            return 0
        features = self._region.features
        self._count(self._region.count(features))
        return features

    def _count(self, seen: int) -> None:
        self._statistics[Stat.FEATURES] = seen + self._count_reached()

    def _count_reached(self) -> int:
        """Mark what the device has reached; return how much that is altogether."""
        if self._device is None:
            return 0
        self._device.mark()
        self._statistics[Stat.REACHED] = count = self._device.count
        self._statistics[Stat.REACHABLE] = self._device.total
        return count

    def close(self) -> None:
        """Write what was counted."""
        if self.counting is not None:
            self.counting.write()
