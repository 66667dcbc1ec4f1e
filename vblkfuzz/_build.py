"""How the package was built: as it is written, or compiled (docs/decisions/0030)."""

from __future__ import annotations

from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path


def build() -> str:
    """Return ``pure``, or ``compiled`` if this Python finds libraries beside the hot modules."""
    module = Path(__file__).with_name("schedule") / "turnstile"
    compiled = any(Path(f"{module}{suffix}").exists() for suffix in EXTENSION_SUFFIXES)
    return "compiled" if compiled else "pure"
