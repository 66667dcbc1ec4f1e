"""What every target must keep before it runs, over all that are registered; each has its suite."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from tests.conformance.real_target import RealTargetContract
from tests.conformance.target import TargetContract
from vblkfuzz.entry_points import package_of
from vblkfuzz.errors import UsageError
from vblkfuzz.scenario.alphabet.ops import OPS
from vblkfuzz.targets.complete import check_complete
from vblkfuzz.targets.options import NO_OPTIONS
from vblkfuzz.targets.registry import TARGETS
from vblkfuzz.targets.target_kind import TargetKind

TESTS = Path(__file__).resolve().parent.parent

pytestmark = pytest.mark.parametrize("name", TARGETS.names())


@pytest.fixture
def kind(name: str) -> TargetKind:
    return TARGETS.find(name)


def suites(name: str) -> Iterator[type[TargetContract]]:
    """Yield the suites of a target in tests/targets that pytest collects."""
    for path in sorted(TESTS.glob("targets/**/test_*.py")):
        module = importlib.import_module(
            ".".join(path.relative_to(TESTS.parent).with_suffix("").parts)
        )
        classes = [found for found in vars(module).values() if isinstance(found, type)]
        contracts = [found for found in classes if issubclass(found, TargetContract)]
        collected = [found for found in contracts if found.__name__.startswith("Test")]
        yield from (found for found in collected if found.target_name == name)


def test_it_has_a_suite_of_its_own(name: str) -> None:
    """`TargetContract` with all that it takes to have such a target on this machine.

    Targets of other packages have their suites elsewhere.
    """
    (entry,) = entry_points(group="vblkfuzz.targets", name=name)
    if package_of(entry) != "vblkfuzz":
        return
    assert list(suites(name)), f"no class of tests/targets/ is a TargetContract of {name}"


def test_each_operation_is_carried_out_or_left_out(name: str, kind: TargetKind) -> None:
    names = {spec.name for spec in OPS}
    assert kind.without <= names, f"no such operation: {sorted(kind.without - names)}"
    for suite in suites(name):
        if issubclass(suite, RealTargetContract):
            check_complete(suite.operator, kind.without, suite.elsewhere)


def test_its_summary_is_a_line(kind: TargetKind) -> None:
    assert re.fullmatch(r"\S[^\n]{0,78}[^.\n]", kind.summary)


def test_it_makes_its_default_device(name: str, kind: TargetKind) -> None:
    target = kind.open(kind.device, "processes", NO_OPTIONS)
    assert (target.name, target.device, target.mode) == (name, kind.device, "processes")


def test_its_quick_mode_is_one(kind: TargetKind) -> None:
    if kind.quick_mode:
        assert kind.open(kind.device, kind.quick_mode, NO_OPTIONS).mode == kind.quick_mode


@pytest.mark.parametrize(
    ("device", "mode", "problem"),
    [(None, "sideways", "mode sideways: "), ("toaster", "processes", "device toaster: ")],
)
def test_what_there_is_not(kind: TargetKind, device: str | None, mode: str, problem: str) -> None:
    with pytest.raises(UsageError, match=f"^{problem}"):
        kind.open(device or kind.device, mode, NO_OPTIONS)
