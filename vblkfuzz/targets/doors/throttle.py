"""Limits of I/O that never delay a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from vblkfuzz.targets.qmp import Qmp

IOPS: Final = 100_000_000
"""Requests per second."""


class DeviceLimits:
    """The limits of a device of a VM, which has none at first."""

    def __init__(self, qmp: Qmp, device: str) -> None:
        self._qmp = qmp
        self._device = device
        self._on = False

    async def switch(self, *, on: bool) -> None:
        """Set the limits, which drains nothing, or remove them, which does."""
        if self._on or on:
            self._on = on
            limits = dict.fromkeys(("bps", "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr"), 0)
            limits["iops"] = IOPS if on else 0
            await self._qmp.call("block_set_io_throttle", limits, id=self._device)
