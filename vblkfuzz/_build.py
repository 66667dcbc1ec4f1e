"""How the package was built: as it is written, or compiled (docs/decisions/0030)."""

from __future__ import annotations

from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path


def build() -> str:
    """Return ``pure``, or ``compiled`` if the library of compiled modules is beside the package."""
    library = Path(__file__).parent.with_name("vblkfuzz__mypyc")
    compiled = any(Path(f"{library}{suffix}").exists() for suffix in EXTENSION_SUFFIXES)
    return "compiled" if compiled else "pure"
