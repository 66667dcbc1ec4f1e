"""What the tests of deploy/ share: a machine whose programs write down what they are told."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest


class Machine:
    """A folder of programs that come before those of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._programs = folder / "bin"
        self._programs.mkdir()
        path = f"{self._programs}:{os.environ['PATH']}"
        self.env = {**os.environ, "PATH": path, "TMPDIR": str(folder)}

    def add(self, name: str, script: str) -> None:
        """Add a program, a script of sh. It writes its arguments down first, a line a call."""
        path = self._programs / name
        path.write_text(f'#!/bin/sh\necho "$*" >> "{self.folder}/{name}.told"\n{script}\n')
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def told(self, name: str) -> list[str]:
        """Return what a program was told, a line for each call."""
        path = self.folder / f"{name}.told"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)
