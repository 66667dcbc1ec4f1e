"""A device process as a child: started with fds only, watched, ended without a trace.

Nothing of it has a name: memory, disks and logs are memfds, connections are socket pairs, all
inherited. So it cannot clash with another campaign, and when its parent is killed the kernel ends
it (PR_SET_PDEATHSIG) and frees the rest.
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
        if not patience_s:
            return self._process.poll()
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


def signal_of(exit_code: int) -> int:
    """Return the number of the signal in an exit code, 0 if there is none."""
    return -exit_code if exit_code < 0 else 0


FROM_OUTSIDE: Final = frozenset({signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
"""Signals that no device process sends itself: who dies of one was killed by somebody."""
