"""The coverage of a real device's own code, for libFuzzer and for people.

A function is a new feature once in a worker: it is not watched any more when it was reached. The
watcher notes it at any time, and here it becomes a feature of the execution that ends next, so
that libFuzzer, which clears its counters before each execution, misses none. Edges are counters
that the device itself writes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.feedback.counters import register

if TYPE_CHECKING:
    from vblkfuzz.targets.coverage.coverage import Coverage
    from vblkfuzz.targets.coverage.edges import EdgeMap
    from vblkfuzz.targets.coverage.reached import Reached


class FunctionFeatures:
    """Functions of the device's program that were reached."""

    def __init__(self, reached: Reached) -> None:
        self._reached = reached
        self._told = bytes(self.total)
        self.counters = memoryview(bytearray(self.total))
        """What libFuzzer sees."""

    @property
    def total(self) -> int:
        """Number of functions of the program; 0: it is not watched."""
        return self._reached.total

    @property
    def count(self) -> int:
        """Number of functions reached so far."""
        return self._told.count(1)

    def mark(self) -> None:
        """Mark the functions that were reached since the last call."""
        marks = self._reached.marks
        if marks == self._told:
            return
        for at in range(min(len(marks), len(self.counters))):
            if marks[at] > self._told[at]:
                self.counters[at] = 1
        self._told = marks[: len(self._told)].ljust(len(self._told), b"\0")


class EdgeFeatures:
    """Edges of the device's program that were passed."""

    total = 0
    """It is not known how many there are."""

    def __init__(self, edges: EdgeMap) -> None:
        self.counters = edges.view
        self._seen = 0

    @property
    def count(self) -> int:
        """Number of edges passed so far."""
        return self._seen.bit_count()

    def mark(self) -> None:
        """Note the edges that were passed since libFuzzer has cleared its counters."""
        self._seen |= int.from_bytes(self.counters, "little")


def features_of(coverage: Coverage | None) -> FunctionFeatures | EdgeFeatures | None:
    """Return the coverage of a target that has started; None if it has none."""
    if coverage and coverage.reached and coverage.reached.total:
        return FunctionFeatures(coverage.reached)
    return EdgeFeatures(coverage.edges) if coverage and coverage.edges else None


def problem_of(coverage: Coverage | None, kind: str) -> str:
    """Return why a target that has started has no coverage; empty: it has, or none was asked for.

    Args:
        coverage: that of the target; None: it has none.
        kind: what was asked for, as in ``--coverage``; empty: nothing.
    """
    if not kind:
        return ""
    return coverage.problem if coverage else "its target has none"


def begin(features: FunctionFeatures | EdgeFeatures | None) -> None:
    """Register the coverage with libFuzzer; call it in the first execution."""
    if features:
        register(features.counters)
