"""A device process as a child: it inherits all its files as fds and leaves nothing behind.

Memory, disks and logs are memfds, connections are socket pairs. None of them has a name, so two
campaigns cannot clash. If the parent is killed, the kernel ends the child (PR_SET_PDEATHSIG) and
frees its memory and sockets.
"""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from vblkfuzz.errors import DeviceUnavailable
from vblkfuzz.process.parent_death import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Sequence

_REPORT_BYTES: Final = 4096
"""Bytes of standard error that a report keeps."""


def memfd(name: str, size: int = 0) -> int:
    """Return a memfd of `size` zero bytes."""
    fd = os.memfd_create(name, os.MFD_CLOEXEC)
    os.ftruncate(fd, size)
    return fd


class Child:
    """One running device process."""

    def __init__(self, command: Sequence[str], fds: Sequence[int]) -> None:
        """Start it; the child inherits `fds` under the same numbers, and they stay open here.

        Raises:
            DeviceUnavailable: the command cannot be executed.
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
                # Safe: the fuzz process has one thread, so no other thread can hold a lock.
                preexec_fn=lambda: die_with_parent(parent),  # noqa: PLW1509
            )
        except OSError as error:
            os.close(self._stderr)
            raise DeviceUnavailable(f"{command[0]}: cannot be run: {error.strerror}") from None
        self.pid = self._process.pid

    def exit_code(self, patience_s: float = 0.0) -> int | None:
        """Return the exit code (negative: a signal), None if it runs after `patience_s` seconds."""
        if not patience_s:
            return self._process.poll()
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(patience_s)
        return None

    def words(self) -> str:
        """Return the end of its standard error, at most 4096 bytes."""
        size = os.fstat(self._stderr).st_size
        tail = os.pread(self._stderr, _REPORT_BYTES, max(0, size - _REPORT_BYTES))
        return tail.decode(errors="replace").strip()

    def end(self) -> None:
        """Kill and reap it."""
        self._process.kill()
        self._process.wait()
        os.close(self._stderr)


def signal_of(exit_code: int) -> int:
    """Return the signal number in an exit code, 0 if there is none."""
    return -exit_code if exit_code < 0 else 0


FROM_OUTSIDE: Final = frozenset({signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
"""Signals that no device process sends itself: one of these means that it was killed."""
