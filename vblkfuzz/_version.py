"""Version and build of the package, in a file of its own that imports nothing else of it."""

from __future__ import annotations

from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

__version__ = "0.1.0"


def build() -> str:
    """Return ``pure``, or ``compiled`` if this Python finds libraries beside the hot modules."""
    module = Path(__file__).with_name("schedule") / "turnstile"
    compiled = any(Path(f"{module}{suffix}").exists() for suffix in EXTENSION_SUFFIXES)
    return "compiled" if compiled else "pure"
