"""Leftovers: processes that a child of ours has started, and that outlive it.

A process whose parent ends becomes a child of the nearest process above it that has asked for such
orphans (prctl(2), PR_SET_CHILD_SUBREAPER): also one that has a session of its own or was forked
twice. So whoever runs the code of others asks for them, and ends all that it finds below itself.
"""

from __future__ import annotations

import ctypes
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_PR_SET_CHILD_SUBREAPER: Final = 36
_ENDED: Final = ("", b"")
_FEW: Final = 64
"""Leftovers that may run until the actors end."""


def adopt_orphans() -> None:
    """Become the parent of each process below this one whose parent ends.

    Raises:
        OSError: the kernel refused the request.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def end_leftovers() -> None:
    """Kill and reap all processes below this one; call it where all of them are ours.

    Only children are killed: nobody else reaps them, so their ids are of no other process. Those of
    one that was killed become ours, so it is done until there is none. One of another user stays,
    and without /proc nothing says which there are: then all stay.
    """
    while has_children():
        killed = [_killed(pid) for pid in _children(os.getpid())]
        if not any(killed):
            return
        os.waitpid(-1, 0)
        reap_children()


def _killed(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except PermissionError:  # a program of another user (setuid)
        return False
    return True


def has_children() -> bool:
    """Whether this process has a child, also one that has ended."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def has_copy() -> bool:
    """Whether the calling thread has forked a process that runs the same program on.

    Python's own forks can be refused (`refused_calls`), those in C cannot.
    """
    if not has_children():
        return False
    name, program = _name("thread-self"), _program("thread-self")
    children = [str(child) for child in _started_here()]
    return any(_name(one) == name and _program(one) in (program, _ENDED) for one in children)


def end_if_many(spared: Collection[int]) -> None:
    """Kill the children, unless they are few; `spared` are not meant. They are not reaped here.

    A device that starts a program in each execution would fill the machine before it ends.
    """
    found = [pid for pid in _started_here() if pid not in spared]
    if len(found) > _FEW:
        for pid in found:
            _killed(pid)


def _started_here() -> list[int]:
    """Return the children of the calling thread, perhaps without the latest (proc(5))."""
    with suppress(OSError):
        return [int(word) for word in Path("/proc/thread-self/children").read_text().split()]
    return []


def _name(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/comm").read_bytes()
    except OSError:  # it was reaped since
        return b""


def _program(pid: str) -> tuple[str, bytes]:
    """Return the file and the arguments of a process; `_ENDED` if it has none any more.

    The name is not enough: a program that was just started has that of its parent for a moment,
    when it has its own file and no arguments yet.
    """
    try:
        return os.readlink(f"/proc/{pid}/exe"), Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return _ENDED


def reap_children() -> dict[int, int]:
    """Reap the children that have ended; return the wait status of each by process id."""
    statuses = {}
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            statuses[pid] = status
    return statuses


def _children(parent: int) -> Iterator[int]:
    """Yield the children of a process, those that wait to be reaped too (proc(5))."""
    with suppress(OSError):  # there is no /proc
        for name in os.listdir("/proc"):
            if name.isdecimal():
                with suppress(OSError):  # it has ended since
                    # The name, in brackets, may hold anything.
                    stat = Path(f"/proc/{name}/stat").read_bytes().rpartition(b")")[2].split()
                    if int(stat[1]) == parent:
                        yield int(name)
