"""Tests of the build as it is written: a compiled one (decision 0030) has no methods to replace."""

from __future__ import annotations

import pytest

from vblkfuzz._build import build

pure_build = pytest.mark.skipif(
    build() == "compiled", reason="compiled build: replaces a method that is compiled"
)
