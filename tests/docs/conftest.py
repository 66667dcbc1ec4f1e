"""The programs that a reader has after the installation."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

import vblkfuzz


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a shell that finds them, and nothing else of this one."""
    programs = tmp_path / "bin"
    programs.mkdir()
    # The plugin of pytest is that which an installation registers.
    for name, words in (
        ("vblkfuzz", "-m vblkfuzz"),
        ("pytest", "-m pytest -pvblkfuzz.pytest_plugin -pno:cacheprovider"),
    ):
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n')
        (programs / name).chmod(0o755)
    package = str(Path(vblkfuzz.__file__).parent.parent)
    return {"PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": package}
