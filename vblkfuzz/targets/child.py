"""A device process as a child: it inherits all its files as fds and leaves nothing behind.

Memory, disks and logs are memfds, connections are socket pairs. None of them has a name, so two
campaigns cannot clash. If the parent is killed, the kernel ends the child (PR_SET_PDEATHSIG) and
frees its memory and sockets. The child leads a process group, so that processes which a script has
started end with it.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import time
from contextlib import suppress
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import DeviceUnavailable
from vblkfuzz.process.parent_death import die_with_parent
from vblkfuzz.targets.fatal_signal import Watcher
from vblkfuzz.targets.last_words import without_times

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vblkfuzz.targets.coverage.coverage import Coverage

WRAPPER: Final = "the script runs the device as another process; begin its last line with: exec"
"""Why a script cannot be watched: its threads say nothing of the device."""
_LOOK_S: Final = 0.002
"""Seconds between two looks whether it has ended."""
_REPORT_BYTES: Final = 4096
"""Bytes of standard error that a report keeps."""


def memfd(name: str, size: int = 0) -> int:
    """Return a memfd of `size` zero bytes."""
    fd = os.memfd_create(name, os.MFD_CLOEXEC)
    os.ftruncate(fd, size)
    return fd


class Child:
    """One running device process."""

    def __init__(
        self,
        command: Sequence[str],
        fds: Sequence[int],
        coverage: Coverage | None = None,
        prepare: Callable[[], None] | None = None,
    ) -> None:
        """Start it; the child inherits `fds` under the same numbers, and they stay open here.

        Args:
            command: its command line.
            fds: fds that it inherits.
            coverage: where it is noted what it reaches of its code; None: it is not.
            prepare: called in the child, last before execve(2).

        Raises:
            DeviceUnavailable: the command cannot be executed.
        """
        self._stderr = memfd("stderr")
        self._watcher = watcher = coverage.watcher() if coverage else Watcher()
        parent = os.getpid()

        def begin() -> None:
            die_with_parent(parent)
            watcher.begin()
            if prepare:
                prepare()

        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._stderr,
                pass_fds=(*fds, *(coverage.fds if coverage else ())),
                env={**os.environ, **(coverage.environment if coverage else {})},
                # Safe: other threads are those of gates, which hold no lock during a fork.
                preexec_fn=begin,  # noqa: PLW1509
                process_group=0,
            )
        except OSError as error:
            os.close(self._stderr)
            watcher.stop()
            raise DeviceUnavailable(f"{command[0]}: cannot be run: {error.strerror}") from None
        self.pid = self._process.pid
        self.command = command[0]
        """The program that was started."""

    def exit_code(self, patience_s: float = 0.0) -> int | None:
        """Return the exit code (negative: a signal), None if it runs after `patience_s` seconds.

        The process is not reaped before `end`, so that its id stays the id of its group.
        """
        deadline = time.monotonic() + patience_s
        while True:
            found = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if found is not None:
                return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status
            if time.monotonic() >= deadline:
                return None
            time.sleep(_LOOK_S)

    @property
    def is_stopped(self) -> bool:
        """Whether all its threads are stopped from outside, by SIGSTOP or a debugger (proc(5))."""
        states = []
        for task in os.listdir(f"/proc/{self.pid}/task"):
            with suppress(FileNotFoundError, ProcessLookupError):  # the thread has ended since
                stat = Path(f"/proc/{self.pid}/task/{task}/stat").read_text()
                states.append(stat.rpartition(")")[2].split()[0])
        return bool(states) and set(states) <= {"T", "t"}

    @property
    def is_wrapper(self) -> bool:
        """Whether it is a script that has started the device as another process.

        A device that answers has several threads: the IOThread, that of QMP, that of RCU.
        """
        return len(os.listdir(f"/proc/{self.pid}/task")) == 1

    def frames(self) -> list[str]:
        """Return the functions on the stack of its fatal signal, the innermost first."""
        return self._watcher.frames()

    def unwatch(self) -> None:
        """Let a debugger trace it from now on."""
        self._watcher.release()

    def words(self) -> str:
        """Return the end of its standard error, at most 4096 bytes, without times and pids."""
        size = os.fstat(self._stderr).st_size
        tail = os.pread(self._stderr, _REPORT_BYTES, max(0, size - _REPORT_BYTES))
        return without_times(tail.decode(errors="replace")).strip()

    def said(self, text: bytes) -> int:
        """Return how often a text occurs in its standard error."""
        return os.pread(self._stderr, os.fstat(self._stderr).st_size, 0).count(text)

    def limit_files(self, more: int | None) -> None:
        """Let it open so many files from now on; None: as many as it may by default.

        Each file gets the lowest number that is free (POSIX, open), and the limit is on that.
        """
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        with suppress(OSError):  # it has ended; its rig detects that
            if more is not None:
                taken = {int(name) for name in os.listdir(f"/proc/{self.pid}/fd")}
                free = (number for number in count() if number not in taken)
                soft = next(islice(free, more, None))
            resource.prlimit(self.pid, resource.RLIMIT_NOFILE, (soft, hard))

    def end(self) -> None:
        """Kill it with all that it has started, and reap it."""
        os.killpg(self.pid, signal.SIGKILL)
        self._watcher.stop()  # first: the process can only be reaped here once it is not traced
        self._process.wait()
        os.close(self._stderr)


def signal_of(exit_code: int) -> int:
    """Return the signal number in an exit code, 0 if there is none."""
    return -exit_code if exit_code < 0 else 0


FROM_OUTSIDE: Final = frozenset({signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
"""Signals that no device process sends itself: one of these means that it was killed."""
