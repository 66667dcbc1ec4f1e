"""What every target must keep before it runs, over all that are registered; each has its suite."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from tests.conformance.target import TargetContract
from vblkfuzz.entry_points import package_of
from vblkfuzz.errors import UsageError
from vblkfuzz.targets.options import NO_OPTIONS
from vblkfuzz.targets.registry import TARGETS
from vblkfuzz.targets.target_kind import TargetKind

TESTS = Path(__file__).resolve().parent.parent

pytestmark = pytest.mark.parametrize("name", TARGETS.names())


@pytest.fixture
def kind(name: str) -> TargetKind:
    return TARGETS.find(name)


def suites() -> Iterator[type[TargetContract]]:
    """Yield the suites in tests/targets that pytest collects."""
    for path in sorted(TESTS.glob("targets/**/test_*.py")):
        module = importlib.import_module(
            ".".join(path.relative_to(TESTS.parent).with_suffix("").parts)
        )
        for found in vars(module).values():
            if isinstance(found, type) and issubclass(found, TargetContract):
                yield found


def test_it_has_a_suite_of_its_own(name: str) -> None:
    """`TargetContract` with all that it takes to have such a target on this machine.

    Targets of other packages have their suites elsewhere.
    """
    (entry,) = entry_points(group="vblkfuzz.targets", name=name)
    if package_of(entry) != "vblkfuzz":
        return
    named = {suite.target_name for suite in suites() if suite.__name__.startswith("Test")}
    assert name in named, f"no class of tests/targets/ is a TargetContract of {name}"


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
