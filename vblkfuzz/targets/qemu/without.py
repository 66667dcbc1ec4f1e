"""The operations that target `qemu` lacks."""

from __future__ import annotations

from typing import Final

WITHOUT: Final = frozenset({"power_loss"})
"""No disk here loses its cache."""
