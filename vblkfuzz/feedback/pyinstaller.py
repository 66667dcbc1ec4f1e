"""Tells PyInstaller where the hook for vblkfuzz is (entry point ``pyinstaller40``).

A bundle that PyInstaller makes has compiled modules only. Probes are put into source
(`feedback.instrument`), so without the hook such a bundle fuzzes without coverage.
"""

from __future__ import annotations

from pathlib import Path


def hook_dirs() -> list[str]:
    """Return the folder of ``hook-vblkfuzz.py``, which lies beside this file."""
    return [str(Path(__file__).parent)]
