"""The version, for those who need nothing else of the package."""

from __future__ import annotations

__version__ = "0.1.0"
