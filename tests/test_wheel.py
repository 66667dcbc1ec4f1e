"""The tests of a tox environment run on the built wheel, not on the checkout."""

from __future__ import annotations

import os
from importlib.metadata import distribution
from pathlib import Path

import pytest

import vblkfuzz

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


@needs_wheel
def test_the_wheel_ships_nothing_but_the_package() -> None:
    tops = {file.parts[0] for file in distribution("vblkfuzz").files or ()}
    metadata = {top for top in tops if top.endswith(".dist-info")}
    scripts = {top for top in tops if top == ".."}
    assert tops - metadata - scripts == {"vblkfuzz"}
