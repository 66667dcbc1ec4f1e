"""Coverage-guided, schedule-controlled fuzzing of virtio-blk devices, in several processes.

One input is a `scenario`: what the guest, the operator and the backend do, and where the schedule
differs from the plain order. It runs on a `targets`, which gives a `trace`; the oracles judge the
trace. Read `vblkfuzz.scenario.ops` first, then `vblkfuzz.executor`.

For tests of your own: everything in `vblkfuzz.api` can be imported from here. It is loaded when it
is asked for, so that importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vblkfuzz.api import (
        Deviation,
        DeviceConfig,
        Execution,
        Go,
        Op,
        Scenario,
        Verdict,
        Violation,
        VirtioBlk,
        assert_clean,
        op,
        run,
    )

__all__ = [
    "Deviation",
    "DeviceConfig",
    "Execution",
    "Go",
    "Op",
    "Scenario",
    "Verdict",
    "Violation",
    "VirtioBlk",
    "assert_clean",
    "op",
    "run",
]

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Load the public API when one of its names is asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from vblkfuzz import api

    return getattr(api, name)
