"""Corpora for the verbs that measure them.

These verbs run in a process of their own, because they instrument the device.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "vblkfuzz", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def contents(folder: Path) -> set[bytes]:
    return {path.read_bytes() for path in folder.iterdir()}
