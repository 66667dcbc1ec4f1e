"""The operations that target `qemu` lacks."""

from __future__ import annotations

from typing import Final

WITHOUT: Final = frozenset(
    {
        "complete",
        "hold",
        "release",
        "flush",
        "start_fail",
        "power_loss",
        "block_job",
        "reopen",
        "throttle",
    }
)
"""QEMU's own disk holds no request, and the start of its dataplane does not fail on demand."""
