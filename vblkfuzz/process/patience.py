"""Patience: a time limit that does not run while the waiting process is stopped.

When a machine is paused, a container frozen or a process group stopped, the clock runs on, and a
plain deadline would then report a hang of the other process. So the time between two checks of the
limit counts as two slices at most.
"""

from __future__ import annotations

import time
from typing import Final

SLICE_S: Final = 0.1
"""Seconds between two checks of the limit: wait for the other process this long at a time."""


class Patience:
    """A limit in seconds; the caller reads `over` about every SLICE_S seconds."""

    __slots__ = ("_last", "_left")

    def __init__(self, seconds: float) -> None:
        self._left = seconds
        self._last = time.monotonic()

    @property
    def over(self) -> bool:
        """Whether the limit is reached. Each read counts the time since the last one."""
        now = time.monotonic()
        self._left -= min(now - self._last, 2 * SLICE_S)
        self._last = now
        return self._left < 0
