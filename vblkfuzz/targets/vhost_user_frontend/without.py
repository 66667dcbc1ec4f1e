"""The operations that target `vhost-user-frontend` lacks."""

from __future__ import annotations

from typing import Final

WITHOUT: Final = frozenset(
    {
        *("drain_begin", "drain_end", "mirror_begin", "mirror_finish"),
        *("snapshot", "block_job", "reopen", "throttle", "power_loss"),
        *("set_iothread", "poll_on", "poll_off"),
    }
)
"""QEMU has no disk and no IOThread for the device."""
