"""Each real target takes a device field into account, or says that it ignores it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from importlib.metadata import entry_points

import pytest

from tests.unused import checkout_tree, device_fields_read, modules_in, reached
from vblkfuzz.entry_points import package_of
from vblkfuzz.scenario.device import FIELDS
from vblkfuzz.targets.registry import MODEL, TARGETS

FILES = {
    entry.name: entry.module
    for entry in entry_points(group="vblkfuzz.targets")
    if package_of(entry) == "vblkfuzz" and entry.name != MODEL
}
"""The module of each of our real targets."""


def problems(
    target: str, modules: Mapping[str, str], fields: Collection[str], ignores: Collection[str]
) -> list[str]:
    """Return what to do about the fields of a target, whose module has the name `target`.

    The guest driver, which all targets have, may read a field for it.
    """
    package = f"{target.rpartition('.')[0]}."
    found = reached(modules, [target])
    read = device_fields_read(text for name, text in modules.items() if name in found)
    own = device_fields_read(text for name, text in modules.items() if name.startswith(package))
    missing = [name for name in fields if name not in read and name not in ignores]
    return [
        *(f"{target}: {name}: expected code that reads it, or it in IGNORES" for name in missing),
        *(f"{target}: {name}: no device field" for name in ignores if name not in fields),
        *(
            f"{target}: {name}: is read, so remove it from IGNORES"
            for name in ignores
            if name in own
        ),
    ]


@pytest.mark.parametrize("name", FILES)
def test_each_field_has_an_effect_or_is_ignored_on_purpose(name: str) -> None:
    tree = checkout_tree()
    modules = {**modules_in(tree, "vblkfuzz/driver"), **modules_in(tree, "vblkfuzz/targets")}
    found = problems(FILES[name], modules, FIELDS, sorted(TARGETS.find(name).ignores))
    assert not found, "; ".join(found)


@pytest.mark.parametrize(
    ("ignores", "problem"),
    [
        (["c"], []),
        ([], ["x.mine.target: c: expected code that reads it, or it in IGNORES"]),
        (["c", "d"], ["x.mine.target: d: no device field"]),
        (["a", "c"], ["x.mine.target: a: is read, so remove it from IGNORES"]),
        (["b", "c"], []),
    ],
)
def test_what_is_said(ignores: list[str], problem: list[str]) -> None:
    modules = {
        "x.mine.target": "import x.mine.rig",
        "x.mine.rig": "import x.driver\nconfig.a",
        "x.driver": "self._config.b",
        "x.other": "config.c",
    }
    assert problems("x.mine.target", modules, ["a", "b", "c"], ignores) == problem
