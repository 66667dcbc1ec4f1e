"""The threads of a process: their roles, and whether one of them sleeps (proc(5))."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from vblkfuzz.gate.core import give_way
from vblkfuzz.gate.thread_files import ThreadFiles
from vblkfuzz.scenario.scenario import Role

if TYPE_CHECKING:
    from collections.abc import Callable

SPIN_NS: Final = 3_000_000
"""Nanoseconds of CPU time after which a thread that has the turn, and neither sleeps nor reaches a
point, does not keep the others waiting any more. It waits for one of them in a loop, perhaps."""

_ROLES: Final = {
    b"IO mon_iothread": Role.MONITOR,
    b"worker": Role.WORKER,
    b"IO io0": Role.IO0,
    b"IO io1": Role.IO1,
}
"""By name (``-name debug-threads=on``); the main thread has the id of the process."""
_VCPU: Final = b"CPU "
"""How the name of a thread of a virtual CPU begins."""
_RUNS: Final = (b"0", b"")


class Threads:
    """Of one process; keeps files of proc open until `forget`."""

    def __init__(self, pid: int, role_of: Callable[[int], Role | None] | None = None) -> None:
        """Watch the process `pid`; `role_of` a thread is that of its name in QEMU if left out."""
        self._pid = pid
        self._role_of = role_of or self._role_by_name
        self._roles: dict[int, Role | None] = {pid: Role.MAIN}
        self._files: dict[int, ThreadFiles] = {}

    def forget(self) -> None:
        """Close all files; the next question opens them again.

        Without it there would be files and a role of each thread that has ended.
        """
        for files in self._files.values():
            files.close()
        self._files.clear()
        self._roles = {self._pid: Role.MAIN}

    def role(self, thread: int) -> Role | None:
        """Return the role of a thread; None: it has none, as that of RCU.

        From the first time on a thread gives way to the main one (`core`).
        """
        if thread not in self._roles:
            give_way(thread, self._pid)
            self._roles[thread] = self._role_of(thread)
        return self._roles[thread]

    def _role_by_name(self, thread: int) -> Role | None:
        with suppress(OSError), open(f"/proc/{self._pid}/task/{thread}/comm", "rb") as file:
            name = file.read().strip()
            return Role.VCPU if name.startswith(_VCPU) else _ROLES.get(name)
        return None

    def sleeps(self, thread: int) -> bool:
        """Whether a thread sleeps until an event from outside of the kernel, or has ended."""
        try:
            files = self._files.get(thread) or self._open(thread)
            if files.where() in _RUNS:  # mostly; its state need not be read
                return False
            before = files.runs()
            return files.sleeps_in() not in _RUNS and files.runs() == before
        except (FileNotFoundError, ProcessLookupError):
            self._forget_one(thread)
            return True

    def spent_ns(self, thread: int) -> int:
        """Return the CPU time of a thread; 0: it has ended."""
        try:
            return (self._files.get(thread) or self._open(thread)).spent_ns()
        except (FileNotFoundError, ProcessLookupError):
            self._forget_one(thread)
            return 0

    def _open(self, thread: int) -> ThreadFiles:
        files = self._files[thread] = ThreadFiles(f"/proc/{self._pid}/task/{thread}")
        return files

    def _forget_one(self, thread: int) -> None:
        self._roles.pop(thread, None)
        if files := self._files.pop(thread, None):
            files.close()
