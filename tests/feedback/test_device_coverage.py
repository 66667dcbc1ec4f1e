"""What a device has reached, as counters of libFuzzer and as a count."""

from __future__ import annotations

from vblkfuzz.feedback.device_coverage import (
    EdgeFeatures,
    FunctionFeatures,
    features_of,
    problem_of,
)
from vblkfuzz.targets.coverage.coverage import EDGES, FUNCTIONS, Coverage
from vblkfuzz.targets.coverage.edges import EdgeMap
from vblkfuzz.targets.coverage.reached import Reached


def marked(features: FunctionFeatures) -> set[int]:
    """Return the functions that libFuzzer sees after an execution, and clear them as it does."""
    features.mark()
    found = {place for place, mark in enumerate(features.counters) if mark}
    features.counters[:] = bytes(len(features.counters))
    return found


def test_a_function_is_a_feature_once() -> None:
    reached = Reached()
    reached.begin(7, 100)
    features = FunctionFeatures(reached)
    reached.mark(3)
    reached.mark(99)
    assert marked(features) == {3, 99}
    assert marked(features) == set()
    reached.mark(4)
    reached.mark(3)
    assert marked(features) == {4}
    assert (features.count, features.total) == (3, 100)


def test_functions_of_another_program_begin_at_none() -> None:
    reached = Reached()
    reached.begin(7, 100)
    features = FunctionFeatures(reached)
    reached.mark(3)
    assert marked(features) == {3}
    reached.begin(8, 50)
    reached.mark(5)
    assert marked(features) == {5}
    assert (features.count, features.total) == (1, 50)


def test_a_program_that_starts_another_one_is_not_watched_again() -> None:
    reached = Reached()
    assert reached.begin(7, 10)
    reached.note_starter()
    assert reached.total == 0
    assert reached.begin(8, 20)
    reached.mark(3)
    assert not reached.begin(7, 10)
    assert reached.begin(8, 20)
    assert reached.marks[3] == 1


def test_edges_add_up_over_executions() -> None:
    edges = EdgeMap(64)
    features = EdgeFeatures(edges)
    edges.view[3] = 1
    features.mark()
    edges.view[:] = bytes(64)  # libFuzzer clears it
    edges.view[4] = 1
    features.mark()
    assert (features.count, features.total) == (2, 0)


def test_a_target_has_the_coverage_that_was_begun() -> None:
    assert features_of(None) is None
    coverage = Coverage()
    assert features_of(coverage) is None
    coverage.begin(FUNCTIONS)
    assert features_of(coverage) is None  # no process has been started
    assert coverage.reached
    coverage.reached.begin(7, 100)
    assert isinstance(features_of(coverage), FunctionFeatures)
    other = Coverage()
    other.begin(EDGES)
    assert isinstance(features_of(other), EdgeFeatures)


def test_what_was_asked_for_and_is_missing_has_a_reason() -> None:
    """A target of another package may know nothing of coverage."""
    assert problem_of(None, "") == ""
    assert problem_of(None, FUNCTIONS) == "its target has none"
    coverage = Coverage()
    assert problem_of(coverage, "") == ""
    coverage.begin(FUNCTIONS)
    assert problem_of(coverage, FUNCTIONS) == "no device process was started here"
