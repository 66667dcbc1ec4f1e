"""A device process as a child: started with fds only, watched, ended without a trace.

Nothing of it has a name: memory, disks and logs are memfds, connections are socket pairs, all
inherited. So it cannot clash with another campaign, and when its parent is killed the kernel ends
it (PR_SET_PDEATHSIG) and frees the rest.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import DeviceUnavailable
from vblkfuzz.process.parent_death import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Sequence

_LAST_WORDS: Final = 4096
"""Bytes of standard error that a report keeps."""


def memfd(name: str, size: int = 0) -> int:
    """Return a memfd of `size` zero bytes."""
    fd = os.memfd_create(name, os.MFD_CLOEXEC)
    os.ftruncate(fd, size)
    return fd


class Child:
    """One running device process."""

    def __init__(self, command: Sequence[str], fds: Sequence[int]) -> None:
        """Start it; `fds` are inherited under their own numbers and stay open here.

        Raises:
            DeviceUnavailable: it cannot be executed.
        """
        self._stderr = memfd("stderr")
        parent = os.getpid()
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._stderr,
                pass_fds=fds,
                # No thread of ours holds a lock then: the fuzz process has one thread.
                preexec_fn=lambda: die_with_parent(parent),  # noqa: PLW1509
            )
        except OSError as error:
            os.close(self._stderr)
            raise DeviceUnavailable(f"{command[0]}: cannot be run: {error.strerror}") from None
        self.pid = self._process.pid

    def exit_code(self, patience_s: float = 0.0) -> int | None:
        """Return how it ended (negative: by a signal), None if it runs on."""
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(patience_s)
        return None

    def words(self) -> str:
        """Return the end of what it wrote to standard error."""
        size = os.fstat(self._stderr).st_size
        said = os.pread(self._stderr, _LAST_WORDS, max(0, size - _LAST_WORDS))
        return said.decode(errors="replace").strip()

    def end(self) -> None:
        """Kill and reap it."""
        self._process.kill()
        self._process.wait()
        os.close(self._stderr)


class Stillness:
    """Tells whether all threads of a process sleep, without asking the process.

    Two looks at each thread's scheduler counts (proc(5), /proc/PID/task/TID/schedstat) and states:
    if every thread slept both times and none has run in between, then none can go on before
    something comes from outside.
    """

    def __init__(self, pid: int) -> None:
        self._tasks = Path(f"/proc/{pid}/task")

    def wait(self, patience_s: float) -> bool:
        """Wait until all sleep; False if `patience_s` seconds were not enough."""
        deadline = time.monotonic() + patience_s
        last = self._look()
        while True:
            now = self._look()
            if now is not None and now == last:
                return True
            if time.monotonic() > deadline:
                return False
            last = now

    def _look(self) -> dict[str, bytes] | None:
        """Return the run counts of all threads; None if one runs or has just gone."""
        found = {}
        try:
            for task in os.listdir(self._tasks):
                if _read(f"{self._tasks}/{task}/stat").rpartition(b")")[2][1:2] != b"S":
                    return None
                found[task] = _read(f"{self._tasks}/{task}/schedstat")
        except (FileNotFoundError, ProcessLookupError):
            return None
        return found


def _read(path: str) -> bytes:
    fd = os.open(path, os.O_RDONLY)
    try:
        return os.read(fd, 1024)
    finally:
        os.close(fd)


def signal_of(exit_code: int) -> int:
    """Return the number of the signal in an exit code, 0 if there is none."""
    return -exit_code if exit_code < 0 else 0


FROM_OUTSIDE: Final = frozenset({signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
"""Signals that no device process sends itself: who dies of one was killed by somebody."""
