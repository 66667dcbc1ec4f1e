"""Whether a process is at rest, observed from outside.

Of each thread (proc(5)), schedstat says how often it has run, stat whether it waits for the kernel
alone, wchan where in the kernel it sleeps. First schedstat of all threads is read, then stat and
wchan of each, then schedstat again. If every thread slept and none has run in between, then no
thread can continue before an event from outside: each has slept from its first reading to its
second one at least, so there was a moment at which all of them slept, those of several processes
that communicate included. No timing is involved, so a busy machine changes nothing. The state in
`stat` is not sufficient: a thread that is preempted on its way to sleep shows the sleeping state
already.

A thread that spins never sleeps. How long it has run is measured in CPU time.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.gate.thread_files import ThreadFiles
from vblkfuzz.targets.activity.lives import Lives

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SPIN_S: Final = 0.25
"""Seconds of CPU time after which a thread that never slept counts as spinning."""

_LOOKS: Final = 100
"""Looks without a pause: after these the threads need their processors more than this one does."""
_PAUSE_S: Final = 0.0002
_QMP_THREAD: Final = b"IO mon_iothread"
"""QEMU's name of the thread that reads QMP (``-name debug-threads=on``)."""
AWAKE: Final = (b"0", b"", b"do_signal_stop", b"ptrace_stop")
"""Contents of wchan for a thread that runs or is ready to run, or is stopped from outside: such a
thread may have work to do when it goes on."""
_AT_GATE: Final = b"seccomp_do_user"
"""How wchan begins for a thread that waits for an answer of the gate (`vblkfuzz.gate`): it goes on
without an event from outside. The name of a function may have a suffix."""
_NAP: Final = b"hrtimer_nanosleep"
"""How wchan begins for a thread in a nanosleep(2): it goes on without an event from outside."""
_LINE: Final = 256
"""Bytes to read; each of these files is shorter."""


class Threads(NamedTuple):
    """One sample of all threads."""

    asleep: bool
    """Every thread sleeps, except perhaps the main thread of the first process."""
    main_asleep: bool
    """The main thread of the first process sleeps."""
    counts: dict[str, bytes]
    """Contents of schedstat, by thread."""

    def without(self, some: frozenset[str]) -> dict[str, bytes]:
        """Return the counts of all threads but some."""
        return {task: count for task, count in self.counts.items() if task not in some}


class Stillness:
    """Samples the threads of a process; keeps files of proc open until `close`."""

    def __init__(
        self, pid: int, *others: int, held: Callable[[], frozenset[str]] = frozenset
    ) -> None:
        """Sample `pid` and the processes that it communicates with.

        Args:
            pid: the device process.
            others: those processes.
            held: the threads that a schedule holds at the gate: `wait` takes them for asleep.
        """
        self._held = held
        self.lives = Lives(pid, *others)
        self._main = str(pid)
        self._folders = [f"/proc/{process}/task" for process in (pid, *others)]
        self._links: list[int] = []
        """Link count of each folder when its threads were listed; empty: no file is open."""
        self._files: dict[str, ThreadFiles] = {}
        self._busy: ThreadFiles | None = None
        """Those of a thread that did not sleep when they were read last."""

    def wait(self, patience_s: float) -> bool:
        """Wait until all threads sleep.

        Returns: False if `patience_s` seconds were not enough, or at once if a process has ended
        (`lives`): it never sleeps.
        """
        deadline = time.monotonic() + patience_s
        looks = 0
        while not self._all_sleep():
            if time.monotonic() > deadline or self.lives.ended():
                return False
            looks += 1
            if looks < _LOOKS:
                os.sched_yield()  # a thread that is not at rest may be waiting for this core
            else:
                time.sleep(_PAUSE_S)
        return True

    def naps(self) -> bool:
        """Whether a thread sleeps for a time that it has chosen itself; `wait` takes it for asleep.

        QEMU's thread of RCU does, up to five times 10 ms (util/rcu.c, call_rcu_thread), and frees
        then what others have dropped. Hardly anything waits for that.
        """
        try:
            self._all_are_open()
            return any(files.where().startswith(_NAP) for files in self._files.values())
        except (FileNotFoundError, ProcessLookupError):
            self._close_samples()
            return False

    def _all_sleep(self) -> bool:
        """Whether there was a moment just now at which all threads slept."""
        try:
            if self._busy and self._busy.where() in AWAKE:
                return False
            self._busy = None
            if not self._files:
                self._all_are_open()
            before = self._counts()
            # Now: a thread that is started later shows in the counts of the one that starts it.
            if not self._all_are_open():
                return False
            held = self._held()
            for task, files in self._files.items():
                if not (_is_held(files) if task in held else _sleeps(files)):
                    self._busy = files
                    return False
            return self._counts() == before
        except (FileNotFoundError, ProcessLookupError):
            self._close_samples()
            return False

    def _counts(self) -> list[bytes]:
        return [files.runs() for files in self._files.values()]

    def only_main_ran(self, before: Threads | None) -> bool:
        """Whether, since a sample, only the main thread ran or was ready to run.

        The thread that reads QMP may have run as well.
        """
        after = self.look()
        if before is None or after is None or not (before.asleep and after.asleep):
            return False
        expected = frozenset({self._main, *self._named(_QMP_THREAD)})
        return before.without(expected) == after.without(expected)

    def _named(self, name: bytes) -> list[str]:
        tasks = self._folders[0]
        found = []
        for task in os.listdir(tasks):
            with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
                if _read(f"{tasks}/{task}/comm").strip() == name:
                    found.append(task)
        return found

    def main_seconds(self) -> float:
        """Return the CPU time of the main thread, in seconds."""
        return int(_read(f"{self._folders[0]}/{self._main}/schedstat").split()[0]) / 1e9

    def others_seconds(self) -> float:
        """Return the CPU time of all threads but the main thread and the one that reads QMP."""
        tasks = self._folders[0]
        found = 0
        for task in set(os.listdir(tasks)) - {self._main, *self._named(_QMP_THREAD)}:
            with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
                found += int(_read(f"{tasks}/{task}/schedstat").split()[0])
        return found / 1e9

    def seconds(self) -> float:
        """Return the CPU time of the first process, without its thread that reads QMP.

        It is 0.0 if the process has ended.
        """
        try:
            return self.main_seconds() + self.others_seconds()
        except (FileNotFoundError, ProcessLookupError):
            return 0.0

    def states(self) -> list[set[str]]:
        """Return for each process the states of its threads, each a letter of proc(5)."""
        return [set(_states_in(folder)) for folder in self._folders]

    def close(self) -> None:
        """Close all files; the next sample opens them again."""
        self.lives.close()
        self._close_samples()

    def _close_samples(self) -> None:
        for files in self._files.values():
            files.close()
        self._files.clear()
        self._links = []
        self._busy = None

    def look(self) -> Threads | None:
        """Sample all threads; None if one has just ended."""
        counts: dict[str, bytes] = {}
        asleep = main_asleep = True
        try:
            self._all_are_open()
            for task, files in self._files.items():
                sleeps = _sleeps(files)
                if task == self._main:
                    main_asleep = sleeps
                elif not sleeps:
                    asleep = False
                counts[task] = files.runs()
        except (FileNotFoundError, ProcessLookupError):
            self._close_samples()
            return None
        return Threads(asleep, main_asleep, counts)

    def _all_are_open(self) -> bool:
        """Whether the files of all threads were open already; if not, open them.

        If the number of threads has not changed, the last list is used. If one of them has been
        replaced all the same, reading its files fails, and the sample is dropped.
        """
        links = [os.stat(folder).st_nlink for folder in self._folders]
        if links == self._links:
            return True
        self._close_samples()
        for folder in self._folders:
            for task in os.listdir(folder):
                self._files[task] = ThreadFiles(f"{folder}/{task}")
        self._links = links
        return False


def _sleeps(files: ThreadFiles) -> bool:
    place = files.sleeps_in()
    return not (place in AWAKE or place.startswith(_AT_GATE))


def _is_held(files: ThreadFiles) -> bool:
    """Whether a thread is where the gate holds it; the kernel may show state D there."""
    return files.where() not in AWAKE


def _states_in(folder: str) -> Iterator[str]:
    with suppress(FileNotFoundError, ProcessLookupError):  # one has just ended
        for task in os.listdir(folder):
            stat = _read(f"{folder}/{task}/stat")
            yield stat.rpartition(b") ")[2][:1].decode()


def _read(path: str) -> bytes:
    fd = os.open(path, os.O_RDONLY)
    try:
        return os.read(fd, _LINE)
    finally:
        os.close(fd)
