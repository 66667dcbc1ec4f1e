"""The tests of a tox environment run on the built wheel; what is installed is up to date."""

from __future__ import annotations

import os
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest

import vblkfuzz
from vblkfuzz._build import build

CHECKOUT = Path(__file__).resolve().parent.parent
INSTALLED_IN = os.environ.get("VBLKFUZZ_INSTALLED_IN")
needs_wheel = pytest.mark.skipif(not INSTALLED_IN, reason="only tox installs the wheel")


@needs_wheel
def test_the_package_under_test_is_the_installed_one() -> None:
    assert INSTALLED_IN
    assert Path(vblkfuzz.__file__).is_relative_to(INSTALLED_IN)


@needs_wheel
def test_the_wheel_ships_type_marker_and_licence() -> None:
    names = {str(file) for file in distribution("vblkfuzz").files or ()}
    assert "vblkfuzz/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_what_is_installed_registers_what_this_checkout_does() -> None:
    """An editable install keeps the entry points of the day it was made."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    written = {"console_scripts": project["scripts"], **project["entry-points"]}
    found: dict[str, dict[str, str]] = {}
    for entry in distribution("vblkfuzz").entry_points:
        found.setdefault(entry.group, {})[entry.name] = entry.value
    assert found == written, "run pip install -e . again"


@needs_wheel
def test_the_wheel_ships_nothing_but_the_package() -> None:
    tops = {file.parts[0] for file in distribution("vblkfuzz").files or ()}
    metadata = {top for top in tops if top.endswith(".dist-info")}
    scripts = {top for top in tops if top == ".."}
    library = {top for top in tops if build() == "compiled" and top.startswith("vblkfuzz__mypyc.")}
    assert tops - metadata - scripts - library == {"vblkfuzz"}
