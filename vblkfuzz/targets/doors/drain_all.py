"""A drained section of all disks, within one command of the operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vblkfuzz.targets.qmp import Qmp


async def drain_all(qmp: Qmp) -> None:
    """Run a transaction, which drains all disks within one callback; it changes nothing."""
    await qmp.attempt("transaction", actions=[{"type": "abort", "data": {}}])
