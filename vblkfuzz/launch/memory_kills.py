"""Kills for lack of memory: the kernel sends SIGKILL, as anybody else may; its counter tells."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_COUNTERS: Final = Path("/proc/vmstat")
_NAME: Final = "oom_kill "


def memory_kills(counters: Path = _COUNTERS) -> int:
    """Return how many processes the kernel has killed for lack of memory; 0: not known.

    The count is that of the whole machine, other containers included.
    """
    try:
        lines = counters.read_text().splitlines()
        return next((int(one[len(_NAME) :]) for one in lines if one.startswith(_NAME)), 0)
    except (OSError, ValueError):
        return 0
