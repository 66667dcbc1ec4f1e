"""Tests of the build as it is written, and of what a compiled one (decision 0030) cannot do."""

from __future__ import annotations

import pytest

from vblkfuzz._build import build


def on_pure_build(why: str) -> pytest.MarkDecorator:
    """Return the mark of a test that a compiled build skips."""
    return pytest.mark.skipif(build() == "compiled", reason=f"compiled build: {why}")


pure_build = on_pure_build("replaces a method that is compiled")
stand_ins = on_pure_build("its parameters have the types that they name")
states_compared = on_pure_build("no generator can be looked into, so no states are merged")
