"""How a device process ends instead of a scenario.

It ends by itself, hangs, runs on and on, or cannot load what it has saved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vblkfuzz.errors import DeviceLost

if TYPE_CHECKING:
    from vblkfuzz.trace.fault import Fault


class Restless(Exception):
    """The device process never comes to rest, although it has nothing to do (L5)."""


class StateRefused(DeviceLost):
    """The device process says that it cannot load the state which it has saved."""


class Ending:
    """How a device process ended, or that it hangs."""

    def __init__(self, kind: int, report: str, fault: Fault | None = None, **fields: int) -> None:
        self.kind = kind
        """CRASH or HANG."""
        self.report = report
        """The end of its standard error, with a backtrace of a hang, for people."""
        self.fault = fault
        """What is known of the place; it names the crash."""
        self.fields = fields
        """Fields of the event."""
