"""Patience: a limit of time that stands still while we ourselves do.

A machine can be paused, a container frozen, a process group stopped, a clock set: for whoever looks
at a clock afterwards, everybody else has been silent for long. So what passes between two looks
counts for no more than a slice, however much the clock says.
"""

from __future__ import annotations

import time
from typing import Final

SLICE_S: Final = 0.1
"""Seconds to wait at a time for others, and what counts of a longer time without a look."""


class Patience:
    """Lasts for so many seconds in which somebody looks; look at least every SLICE_S or so."""

    __slots__ = ("_last", "_left")

    def __init__(self, seconds: float) -> None:
        self._left = seconds
        self._last = time.monotonic()

    @property
    def over(self) -> bool:
        """Whether it has ended; to ask is to look."""
        now = time.monotonic()
        self._left -= min(now - self._last, 2 * SLICE_S)
        self._last = now
        return self._left < 0
