"""Python, and the packages that vblkfuzz uses."""

from __future__ import annotations

import platform
import sys
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import TYPE_CHECKING

from vblkfuzz.doctor.check import no, yes

if TYPE_CHECKING:
    from vblkfuzz.doctor.check import Found


def python() -> Found:
    """Find the version of the Python that runs vblkfuzz."""
    return yes(f"{platform.python_implementation()} {platform.python_version()}, {sys.executable}")


def package(name: str) -> Found:
    """Import a package of the same name as its distribution, and find its version."""
    try:
        import_module(name)
    except Exception as error:  # whatever a broken installation raises
        return no(f"{type(error).__name__}: {error}")
    return yes(_version(name))


def packages(*names: str) -> Found:
    """Find whether modules are installed; they are not imported."""
    missing = [name for name in names if find_spec(name) is None]
    if missing:
        return no(f"not installed: {', '.join(missing)}")
    return yes(", ".join(f"{name} {_version(name)}" for name in names))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "without a version"
