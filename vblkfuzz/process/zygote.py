"""The zygote: forks the actors, detects when one dies, and forks new ones.

It is forked from the fuzz process before libFuzzer installs handlers and starts threads there, so
the actors have neither; one that replaces another removes the handlers. It waits in poll(2) on the
pidfds of the actors and of the fuzz process, on one eventfd and on a pipe that SIGCHLD and SIGTERM
write to.

* When an actor has died, the zygote kills the other one and wakes the fuzz process, whose execution
  has failed. From then on only the fuzz process uses the semaphores.
* When the fuzz process requests fresh actors, after any failure, the zygote kills the actors that
  are left, empties the semaphores and forks new actors. The fuzz process waits for them, so the
  new actors get no stale wake-up.
* When the fuzz process sends END or ends, and at a SIGTERM, the zygote kills and reaps the actors,
  then exits. No zombie is left once the fuzz process has reaped the zygote.
* What a device has started and left becomes a child of the zygote (`leftovers`). It ends with the
  actors; what ends by itself is reaped at once (SIGCHLD).

The actors die with the zygote (`parent_death`). Each process ends by `os._exit` and ignores ctrl-C,
which the orchestrator handles.
"""

from __future__ import annotations

import faulthandler
import os
import resource
import select
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.process.actors import Turns, guest_main
from vblkfuzz.process.control import (
    DEVICE_ENDED,
    GENERATION,
    GENERATION_WANTED,
    NOT_ENDED,
    STATUS,
    Status,
)
from vblkfuzz.process.leftovers import adopt_orphans, end_if_many, end_leftovers, reap_children
from vblkfuzz.process.parent_death import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from vblkfuzz.process.execution import SharedParts
    from vblkfuzz.process.semaphore import Semaphore

LOOK: Final = 1
"""Command: compare GENERATION_WANTED with GENERATION."""
END: Final = 1 << 32
"""Command: end actors and zygote. An eventfd adds values up; no sum of LOOKs gets this large."""


_ENDS: Final = (signal.SIGTERM, signal.SIGHUP)
"""Signals that are an END too. A process that ends sends one to its children (multiprocess)."""
_CRASHES: Final = (
    *(signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGFPE),
    *(signal.SIGALRM, signal.SIGUSR1, signal.SIGUSR2),
)
"""Signals that libFuzzer handles in the fuzz process (FuzzerUtilPosix.cpp, SetSignalHandler), but
for those that Python or the zygote handle."""
_LOOK_MS: Final = 1000
"""Milliseconds between two looks at how much a device has left, if nothing else happens."""


class Line(NamedTuple):
    """The two eventfds between fuzz process and zygote."""

    command: int
    """To the zygote: LOOK or END."""
    ready: int
    """From the zygote: GENERATION has changed."""


@dataclass(frozen=True, slots=True)
class Child:
    """A forked actor."""

    name: str
    pid: int
    pidfd: int


class Bell(NamedTuple):
    """A pipe that becomes readable at each SIGCHLD (signal.set_wakeup_fd)."""

    read: int
    write: int

    @staticmethod
    def hung() -> Bell:
        """Let SIGCHLD ring a new bell."""
        bell = Bell(*os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK))
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.set_wakeup_fd(bell.write, warn_on_full_buffer=False)
        return bell

    def silence(self) -> None:
        """Make it unreadable again."""
        os.read(self.read, select.PIPE_BUF)

    def take_down(self) -> None:
        """Undo `hung`, in a child."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for fd in self:
            os.close(fd)


class Zygote:
    """Runs in the zygote process."""

    def __init__(  # what it inherits
        self,
        parts: SharedParts,
        turns: Turns,
        device: Callable[[], None],
        line: Line,
        *,
        alone: bool,
    ) -> None:
        self._parts = parts
        self._turns = turns
        self._device = device
        """Main loop of the device."""
        self._line = line
        self._alone = alone
        """Whether the device runs the guest too."""
        self._children: list[Child] = []
        self._reaped: dict[int, int] = {}
        """Wait status of actors that are reaped already, by process id."""
        self._parent = -1
        """pidfd of the fuzz process."""
        self._bell = Bell(-1, -1)
        self._told_to_end = False
        """A signal has said so."""

    def run(self, parent: int) -> None:
        """Serve until END or the end of the fuzz process, or until killed."""
        self._parent = os.pidfd_open(parent)
        # It does not die with its parent, but sees its end and kills what the device has left; also
        # if it was stopped (SIGSTOP) meanwhile.
        die_with_parent(parent, signal.SIGCONT)
        _name_process("zygote")
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _remove_crash_handlers()
        adopt_orphans()
        self._bell = Bell.hung()
        for number in _ENDS:
            signal.signal(number, self._end_soon)
        self._replace_actors()
        while True:
            ready = self._wait()
            if self._parent in ready or self._told_to_end:
                self._execute(END)
            elif self._bell.read in ready:
                self._reap()
            elif not ready:
                end_if_many({child.pid for child in self._children})
            elif self._line.command in ready:
                self._execute(int.from_bytes(os.read(self._line.command, 8), sys.byteorder))
            else:
                self._report_death(ready)

    def _end_soon(self, _number: int, _frame: FrameType | None) -> None:
        self._told_to_end = True  # the bell rings for each signal that has a handler

    def _spawn(self) -> None:
        self._children = [self._fork("device", self._device)]
        if not self._alone:
            guest = partial(guest_main, self._parts, self._turns)
            self._children.append(self._fork("guest", guest))

    def _fork(self, name: str, main: Callable[[], None]) -> Child:
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            try:
                die_with_parent(parent)
                self._bell.take_down()
                for number in _ENDS:
                    signal.signal(number, signal.SIG_DFL)
                os.close(self._parent)
                _name_process(name)
                _say_on_stderr()
                _leave_no_core()
                main()
            finally:
                os._exit(1)
        return Child(name, pid, os.pidfd_open(pid))

    def _wait(self) -> set[int]:
        """Wait until a process has ended or a command has come; return the readable fds.

        After _LOOK_MS there are none.
        """
        poll = select.poll()
        fds = (self._parent, self._bell.read, self._line.command)
        for fd in (*fds, *(child.pidfd for child in self._children)):
            poll.register(fd, select.POLLIN)
        return {fd for fd, _ in poll.poll(_LOOK_MS)}

    def _execute(self, command: int) -> None:
        if command >= END:
            self._end_actors()
            os._exit(0)
        self._replace_actors()

    def _reap(self) -> None:
        """Reap what has ended; of an actor, keep how it did."""
        self._bell.silence()
        ended, actors = reap_children(), {child.pid for child in self._children}
        self._reaped |= {pid: status for pid, status in ended.items() if pid in actors}

    def _replace_actors(self) -> None:
        """Fork the requested pair of actors, unless it is there already."""
        control = self._parts.arena.control
        wanted = control[GENERATION_WANTED]
        if control[GENERATION] == wanted:
            return
        self._end_actors()
        self._empty_semaphores()
        self._parts.silence()
        self._spawn()
        control[GENERATION] = wanted
        os.eventfd_write(self._line.ready, 1)

    def _report_death(self, ready: set[int]) -> None:
        """Write to the report area how the dead actors ended; wake the fuzz process."""
        dead = [child.name for child in self._children if child.pidfd in ready]
        statuses = self._end_actors()
        arena = self._parts.arena
        said = (f"the {name} process {_ending(statuses[name])}" for name in dead)
        arena.report.write("; ".join(said).encode())
        arena.control[DEVICE_ENDED] = statuses["device"] if dead == ["device"] else NOT_ENDED
        arena.control[STATUS] = Status.DIED
        self._turns.fuzzer.release()

    def _end_actors(self) -> dict[str, int]:
        """Kill and reap all actors and what they left; return the wait status of each by name."""
        statuses = {}
        for child in self._children:
            if child.pid not in self._reaped:
                signal.pidfd_send_signal(child.pidfd, signal.SIGKILL)
                self._reaped[child.pid] = os.waitpid(child.pid, 0)[1]
            os.close(child.pidfd)
            statuses[child.name] = self._reaped[child.pid]
        self._children = []
        end_leftovers()
        self._reaped.clear()
        return statuses

    def _empty_semaphores(self) -> None:
        for semaphore in (self._turns.device, self._turns.guest, self._turns.fuzzer):
            _empty(semaphore)


def _empty(semaphore: Semaphore) -> None:
    while semaphore.acquire(False):
        pass


def _remove_crash_handlers() -> None:
    """Let a crash end the process as the kernel does; a user's faulthandler comes before."""
    if not faulthandler.is_enabled():
        for number in _CRASHES:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # as Python does at its start


def _name_process(name: str) -> None:
    """Show `name` in ps and top (proc(5), /proc/self/comm: 15 characters)."""
    with suppress(OSError):  # a sandbox without /proc: the name is for people
        Path("/proc/self/comm").write_text(f"vblk-{name}")


def _say_on_stderr() -> None:
    """Let what a device prints go to standard error: standard output is its parent's."""
    os.dup2(2, 1)
    sys.stdout = sys.stderr


def _leave_no_core() -> None:
    """Let a crash write no core file: a campaign would fill its working directory with them."""
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))


def _ending(status: int) -> str:
    if os.WIFSIGNALED(status):
        return f"was ended by signal {os.WTERMSIG(status)}"
    return f"ended with exit status {os.waitstatus_to_exitcode(status)}"
