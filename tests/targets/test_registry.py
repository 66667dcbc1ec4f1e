"""Targets of other packages: listed without importing them, imported when named."""

from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints

import pytest

from vblkfuzz.errors import UsageError
from vblkfuzz.targets import registry
from vblkfuzz.targets.registry import GROUP, open_target, target_entries

INSTALLED = EntryPoints(
    [
        EntryPoint("broken", "no_such_package:make", GROUP),
        EntryPoint("again", "vblkfuzz.targets.registry:model_target", GROUP),
    ]
)


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "entry_points", INSTALLED.select)


def test_all_are_listed_without_importing_any() -> None:
    assert [entry.name for entry in target_entries()] == [
        "model",
        "qemu",
        "qsd",
        "vhost-user",
        "again",
        "broken",
    ]
    assert all(entry.summary and entry.source for entry in target_entries())


@pytest.mark.parametrize("name", ["model", "again"])
def test_a_target_is_made_by_its_factory(name: str) -> None:
    target = open_target(name, "reference", "inline")
    assert (target.device, target.mode) == ("reference", "inline")


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("gone", "target gone: expected one of model, qemu, qsd, vhost-user, again, broken"),
        ("broken", "target broken: no_such_package:make fails: ModuleNotFoundError"),
    ],
)
def test_a_target_that_cannot_be_used(name: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        open_target(name, "seed", "inline")
