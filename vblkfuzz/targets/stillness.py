"""Whether a process is at rest, seen from outside.

Two looks at each thread (proc(5)): wchan says where in the kernel it sleeps, schedstat how often
it has run. If every thread slept both times and none has run in between, then none can go on
before something comes from outside. That holds for several processes that talk to each other too:
between the two looks there was a moment at which all of them slept. No timing is involved, so it
holds on a busy machine too. The state in `stat` would not do: a thread on its way to sleep that is
preempted has it already.

A thread that runs on and on is the opposite. How long it has run is its CPU time, not the clock's.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

SPIN_S: Final = 0.25
"""Seconds of CPU time after which a thread that never slept is taken for one that never will."""


_SERVES: Final = b"IO mon_iothread"
"""The thread that reads QMP, as QEMU names it (``-name debug-threads=on``)."""
_AWAKE: Final = (b"0", b"")
"""What wchan says of a thread that runs or is about to."""
_LINE: Final = 256
"""Bytes that are more than one of these files has."""
_MOST_OPEN: Final = 64
"""Threads whose files stay open: of a pool, threads come and go."""


class Threads(NamedTuple):
    """One look at all threads."""

    asleep: bool
    """Every thread but the main one of the first process sleeps."""
    main_asleep: bool
    counts: dict[str, bytes]
    """What schedstat says, by thread."""

    def but(self, some: frozenset[str]) -> dict[str, bytes]:
        """Return the counts of all threads but some."""
        return {task: count for task, count in self.counts.items() if task not in some}


class Stillness:
    """Looks at a process, and keeps files open for that until `close`."""

    def __init__(self, pid: int, *others: int) -> None:
        """Look at `pid`, and at the processes that it works with."""
        self._main = str(pid)
        self._folders = [f"/proc/{process}/task" for process in (pid, *others)]
        self._listed: dict[str, tuple[int, list[str]]] = {}
        """Links of each folder, and the threads in it when it had so many."""
        self._files: dict[str, tuple[int, int]] = {}
        """wchan and schedstat of each thread: to open them takes longer than to read them."""

    def wait(self, patience_s: float) -> bool:
        """Wait until all threads sleep; False if `patience_s` seconds were not enough."""
        deadline = time.monotonic() + patience_s
        last = self._look()
        while True:
            now = self._look()
            if now is not None and now == last and now.asleep and now.main_asleep:
                return True
            if time.monotonic() > deadline:
                return False
            os.sched_yield()  # who has to go on may be waiting for our core
            last = now

    def only_main_runs(self, while_: Callable[[], object]) -> bool:
        """Whether nobody but the main thread has run, or could go on, while `while_` was called."""
        before = self._look()
        while_()
        after = self._look()
        if before is None or after is None or not (before.asleep and after.asleep):
            return False
        expected = frozenset({self._main, *self._named(_SERVES)})
        return before.but(expected) == after.but(expected)

    def _named(self, name: bytes) -> list[str]:
        tasks = self._folders[0]
        return [task for task in os.listdir(tasks) if _read(f"{tasks}/{task}/comm").strip() == name]

    def sleeps_through(self, while_: Callable[[], object]) -> bool:
        """Whether every thread slept, and none has run, while `while_` was called."""
        before = self._look()
        while_()
        after = self._look()
        return before is not None and before == after and before.asleep and before.main_asleep

    def main_seconds(self) -> float:
        """Return the CPU time of the main thread."""
        return int(_read(f"{self._folders[0]}/{self._main}/schedstat").split()[0]) / 1e9

    def close(self) -> None:
        """Close all files; the next look opens them again."""
        for files in self._files.values():
            for fd in files:
                os.close(fd)
        self._files.clear()
        self._listed.clear()

    def _look(self) -> Threads | None:
        """Look at all threads; None if one has just gone."""
        counts: dict[str, bytes] = {}
        asleep = main_asleep = True
        try:
            for folder in self._folders:
                for task in self._threads(folder):
                    wchan, schedstat = self._files.get(task) or self._open(folder, task)
                    sleeps = os.pread(wchan, _LINE, 0) not in _AWAKE
                    if task == self._main:
                        main_asleep = sleeps
                    elif not sleeps:
                        asleep = False
                    counts[task] = os.pread(schedstat, _LINE, 0)
        except (FileNotFoundError, ProcessLookupError):
            self.close()  # a thread's number may come back, its files never do
            return None
        return Threads(asleep, main_asleep, counts)

    def _threads(self, folder: str) -> list[str]:
        """Return the threads in a folder.

        As many as the last time are the same ones, or a file of one that has gone cannot be read.
        """
        links, tasks = self._listed.get(folder, (0, []))
        found = os.stat(folder).st_nlink
        if found != links:
            tasks = os.listdir(folder)
            self._listed[folder] = found, tasks
        return tasks

    def _open(self, folder: str, task: str) -> tuple[int, int]:
        if len(self._files) >= _MOST_OPEN:
            self.close()
        wchan = os.open(f"{folder}/{task}/wchan", os.O_RDONLY)
        try:
            schedstat = os.open(f"{folder}/{task}/schedstat", os.O_RDONLY)
        except OSError:
            os.close(wchan)
            raise
        self._files[task] = wchan, schedstat
        return wchan, schedstat


def _read(path: str) -> bytes:
    fd = os.open(path, os.O_RDONLY)
    try:
        return os.read(fd, _LINE)
    finally:
        os.close(fd)
