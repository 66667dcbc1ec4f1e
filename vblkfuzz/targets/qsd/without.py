"""The operations that target `qsd` lacks."""

from __future__ import annotations

from typing import Final

WITHOUT: Final = frozenset(
    {"stop", "cont", "system_reset", "set_iothread", "start_fail", "power_loss", "answer"}
)
"""A daemon has no VM, its IOThread is chosen when the export is made, and it answers itself."""
