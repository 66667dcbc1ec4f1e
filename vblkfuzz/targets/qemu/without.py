"""The operations that target `qemu` lacks."""

from __future__ import annotations

from typing import Final

WITHOUT: Final = frozenset({"start_fail", "power_loss"})
"""The start of its dataplane does not fail on demand, and no disk here loses its cache."""
