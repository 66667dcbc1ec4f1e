"""How much of the machine vblkfuzz may use: cores, processes, files, shared memory, core files."""

from __future__ import annotations

import os
import resource
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from vblkfuzz.doctor.check import Found, limited, no, yes
from vblkfuzz.doctor.child import child, sleep
from vblkfuzz.process.usable_cores import quota

_WORKER: Final = 4
"""Processes of a worker: fuzz process, zygote, device and guest. The minimizer has as many."""
_MOST: Final = 64
"""Processes that are tried at most; a machine with many cores may well have more."""
_FILES, _FILES_OF_WORKER = 20, 3
"""Open files of a campaign on the model. Measured with one process for each core: 24 are enough for
two workers, 40 for eight; 20 and 32 are not."""
_FILES_OF_DEVICES: Final = 512
"""Open files of target `qemu`, which keeps up to a dozen devices. Measured: with 512 each execution
has a verdict, with 256 some have none."""
_SHARED_BYTES: Final = 256 << 20
"""Bytes in /dev/shm that are enough for chromium."""
_CORE_PATTERN: Final = Path("/proc/sys/kernel/core_pattern")


def cores() -> Found:
    """Pin this process to one core, as a worker does; find how many there are."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    fact = f"{len(allowed)} of {os.cpu_count()}, can be pinned"
    granted = quota()
    if granted is not None and granted < len(allowed):
        return limited(f"{fact}, time of {granted:g}", f"fuzz --workers {max(1, int(granted))}")
    return yes(fact)


def processes() -> Found:
    """Start as many processes as a campaign has that uses all cores."""
    wanted = min(_MOST, _WORKER * (len(os.sched_getaffinity(0)) + 1))
    started = _started(wanted)
    if started < _WORKER:
        return no(f"only {started} more can be started")
    if started < wanted:
        return limited(f"only {started} more can be started, not {wanted}")
    return yes(f"{started} more can be started")


def _started(wanted: int) -> int:
    """Start processes until there are enough or the system refuses; return their number."""
    with ExitStack() as stack:
        for number in range(wanted):
            try:
                stack.enter_context(child(sleep))
            except OSError:
                return number
    return wanted


def open_files() -> Found:
    """Find whether a campaign on the model may open enough files (RLIMIT_NOFILE)."""
    wanted = _FILES + _FILES_OF_WORKER * len(os.sched_getaffinity(0))
    return yes(_files()) if _may_open(wanted) else no(_files())


def device_files() -> Found:
    """Find whether a campaign on real devices may keep all of them at hand."""
    return yes(_files()) if _may_open(_FILES_OF_DEVICES) else limited(_files())


def _files() -> str:
    return "{} of {}".format(*resource.getrlimit(resource.RLIMIT_NOFILE))


def _may_open(count: int) -> bool:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft == resource.RLIM_INFINITY or soft >= count


def shared_files() -> Found:
    """Find the room in /dev/shm. Only chromium needs it: vblkfuzz shares memory by memfds."""
    found = os.statvfs("/dev/shm")
    size, free = found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize
    fact = f"{_mebibytes(free)} of {_mebibytes(size)} free"
    if free < _SHARED_BYTES:
        return limited(fact)
    return yes(fact)


def _mebibytes(size: int) -> str:
    return f"{size >> 20:,} MiB"


def core_files() -> Found:
    """Find what a crash of a device starts or leaves behind, beside the finding."""
    pattern = _CORE_PATTERN.read_text().strip()
    soft, _ = resource.getrlimit(resource.RLIMIT_CORE)
    if pattern.startswith("|"):
        program = pattern[1:].split()[0]
        return limited(f"each crash starts {program}", "sysctl -w kernel.core_pattern=core")
    if soft:
        return limited(f"each crash leaves a file {pattern}", "ulimit -c 0")
    return yes("a crash leaves none")
