"""How many cores this process may use: those of its cpuset, and what its cgroups grant of them.

A container often sees all cores of its machine and may use the time of two (cgroups(7): cpu.max;
cpu.cfs_quota_us of version 1).
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_CGROUPS: Final = Path("/sys/fs/cgroup")
_OWN: Final = Path("/proc/self/cgroup")


def usable_cores() -> int:
    """Return how many processes can run at a time, at least one."""
    allowed, granted = len(os.sched_getaffinity(0)), quota()
    return allowed if granted is None else max(1, min(allowed, int(granted)))


def quota() -> float | None:
    """Return the cores whose time the cgroups of this process grant; None: no limit is known."""
    return min(_quotas(_read(_OWN)), default=None)


def _quotas(own: str) -> Iterator[float]:
    """Yield what each cgroup of /proc/self/cgroup grants, and each above it."""
    for line in own.splitlines():
        _, controllers, path = line.split(":", 2)
        names = {controllers, "cpu"} if "cpu" in controllers.split(",") else set()
        for mount in sorted(names) if controllers else ("", "unified"):
            # In a container the path may be that of the host: then its begin is not there.
            below = Path(path.lstrip("/"))
            for group in (below, *below.parents):
                yield from _granted(_CGROUPS / mount / group)


def _granted(group: Path) -> Iterator[float]:
    """Yield what one cgroup grants; nothing if it has no limit, or is not there."""
    words = _read(group / "cpu.max").split() or [
        _read(group / f"cpu.cfs_{name}_us").strip() for name in ("quota", "period")
    ]
    if len(words) == 2 and all(word.isdecimal() and int(word) for word in words):
        yield int(words[0]) / int(words[1])


def _read(path: Path) -> str:
    with suppress(OSError, UnicodeDecodeError):
        return path.read_text()
    return ""
