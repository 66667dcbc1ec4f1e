"""Targets by name: their default devices and modes, and functions of other packages."""

from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints
from typing import Any

import pytest

from vblkfuzz import entry_points
from vblkfuzz.errors import UsageError
from vblkfuzz.targets.registry import TARGETS, default_device, open_target, quick_target

GROUP = "vblkfuzz.targets"


@pytest.fixture
def others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another package registers a function that makes a target, and a number."""
    added = [
        EntryPoint("function", "vblkfuzz.targets.model:_open", GROUP),
        EntryPoint("number", "vblkfuzz.limits:MAX_OPS", GROUP),
    ]
    found = EntryPoints([*entry_points._installed(GROUP), *added])
    monkeypatch.setattr(entry_points, "_installed", lambda _: found)


@pytest.mark.parametrize(
    ("name", "device"),
    [
        ("model", "patch-v4"),
        ("qemu", "virtio-blk-pci"),
        ("qsd", "vhost-user-blk"),
        ("vhost-user", "vhost-user-blk"),
        ("vhost-user-frontend", "vhost-user-blk-pci"),
        ("function", "patch-v4"),
    ],
)
@pytest.mark.usefixtures("others")
def test_the_device_that_runs_if_none_is_named(name: str, device: str) -> None:
    assert default_device(name) == device


@pytest.mark.parametrize("name", ["model", "function"])
@pytest.mark.usefixtures("others")
def test_a_target_is_opened(name: str) -> None:
    target = open_target(name, "reference", "inline")
    assert (target.device, target.mode) == ("reference", "inline")


@pytest.mark.usefixtures("others")
def test_a_function_is_listed_by_its_package() -> None:
    rows = {row.name: row.summary for row in TARGETS.listed()}
    assert rows["function"] == "a target of an installed package"


@pytest.mark.usefixtures("others")
@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("gone", "target gone: expected one of .*model, number, .*qemu"),
        ("number", "target number: .* expected a TargetKind or a function, found int"),
    ],
)
def test_a_target_that_cannot_be_used(name: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        open_target(name, "patch-v4", "inline")
    with pytest.raises(UsageError, match=problem):
        default_device(name)


def test_a_quick_target() -> None:
    quick: Any = quick_target("model", "reference", "processes")
    assert (quick.device, quick.mode) == ("reference", "inline")
    assert quick_target("model", "reference", "inline") is None
    assert quick_target("qemu", "virtio-blk-pci", "processes") is None
