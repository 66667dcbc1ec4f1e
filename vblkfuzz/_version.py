"""The version of the package, in a file of its own that imports nothing else of it."""

from __future__ import annotations

__version__ = "0.1.0"
