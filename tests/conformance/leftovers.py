"""What a target must not leave behind: processes, fds, files in shared memory, a pinned core."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

PATIENCE_S = 20.0
"""Bound of every wait for something that happens by itself in milliseconds."""


def open_fds() -> dict[str, str]:
    """Return what each fd of this process is open on."""
    found = {}
    for fd in os.listdir("/proc/self/fd"):
        try:
            found[fd] = os.readlink(f"/proc/self/fd/{fd}")
        except FileNotFoundError:
            continue  # the one listdir itself used
    return found


def shared_files() -> set[str]:
    return {path.name for path in Path("/dev/shm").iterdir()}


def descendants() -> set[psutil.Process]:
    """Return all processes below this one, zombies included."""
    return set(psutil.Process().children(recursive=True))


@contextmanager
def nothing_left() -> Iterator[None]:
    """Fail if something is there after the block that was not there before.

    An orphan is nobody's descendant: who kills parents must `await_end` of the children.
    """
    before = open_fds(), shared_files(), descendants(), os.sched_getaffinity(0)
    yield
    assert open_fds() == before[0]
    assert descendants() == before[2]
    assert os.sched_getaffinity(0) == before[3]
    deadline = time.monotonic() + PATIENCE_S
    while shared_files() - before[1]:  # somebody else's come and go
        assert time.monotonic() < deadline, shared_files() - before[1]
        time.sleep(0.01)


def await_end(processes: Iterable[psutil.Process]) -> None:
    """Fail if one of `processes` runs on, as an orphan perhaps.

    A zombie has ended: whose parent was killed waits for PID 1, which may take its time.
    """
    deadline = time.monotonic() + PATIENCE_S
    while alive := [process for process in processes if _runs(process)]:
        assert time.monotonic() < deadline, alive
        time.sleep(0.001)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
