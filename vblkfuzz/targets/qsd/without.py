"""The operations that target `qsd` lacks."""

from __future__ import annotations

from typing import Final

WITHOUT: Final = frozenset(
    {"stop", "cont", "system_reset", "set_iothread", "start_fail", "power_loss", "save", "restore"}
)
"""A daemon has no VM, and its IOThread is chosen when the export is made. To save and restore takes
a second connection with the indices of the first, which this target does not make."""
