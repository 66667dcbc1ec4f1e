"""A limit of memory: a device that takes all of it would take the machine along.

It is RLIMIT_DATA (getrlimit(2)): private memory that can be written, of this process and, as much
again, of each program that it starts. Address space is not limited: shared memory, and what is
reserved but not used, harm nobody. Python raises MemoryError at the limit, in the device's line.
"""

from __future__ import annotations

import resource
from contextlib import suppress
from pathlib import Path

_MIB = 1 << 20


class _Limit:
    """A limit holds for the process."""

    mib = 0
    """0: there is none."""


def limit_memory(mib: int) -> None:
    """Let this process take `mib` MiB more than it has; a lower limit of the user stays."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = _taken() + mib * _MIB
    if hard == resource.RLIM_INFINITY or limit < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        _Limit.mib = mib


def words_of(error: BaseException) -> str:
    """Say which limit a MemoryError has met; empty: it is another error, or there is no limit."""
    if not isinstance(error, MemoryError) or not _Limit.mib:
        return ""
    return f"a device may take {_Limit.mib} MiB"


def _taken() -> int:
    """Return the bytes that count already (proc(5)); 0 without /proc."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmData:"):
                return int(line.split()[1]) << 10
    return 0
