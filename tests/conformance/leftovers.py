"""What a target must not leave behind: processes, fds, files, a pinned core.

Only what our own processes made counts: other programs come and go, and keep files where they like.

* Processes are those below this one, fds are its own: exact.
* Sockets and folders that need a name for a while are made in ``$TMPDIR``. `nothing_left` gives its
  block an empty one, which has to be empty again afterwards.
* /dev/shm belongs to all programs, and a file in it does not say which process made it. So there
  are two checks. `shared_files` says what our living processes have open or map there. That must
  be nothing: a file whose name is gone counts too, because a kill before that would have left it.
  `files_left_by` runs a program with a /dev/shm of its own (a mount namespace): what is in it
  afterwards was left by that program, by whichever of its processes.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Final

import psutil
import pytest

from tests.waiting import until

_SHARED: Final = "/dev/shm/"


def open_fds() -> dict[str, str]:
    """Return what each fd of this process is open on."""
    return _open_in(psutil.Process())


def _open_in(process: psutil.Process) -> dict[str, str]:
    folder, found = f"/proc/{process.pid}/fd", {}
    for fd in os.listdir(folder):
        with suppress(FileNotFoundError):  # closed since, as the one that listed our own
            found[fd] = os.readlink(f"{folder}/{fd}")
    return found


def _mapped_in(process: psutil.Process) -> list[str]:
    maps = Path(f"/proc/{process.pid}/maps").read_text()
    return [line.split(maxsplit=5)[-1] for line in maps.splitlines()]


def descendants() -> set[psutil.Process]:
    """Return all processes below this one, zombies included."""
    return set(psutil.Process().children(recursive=True))


@contextmanager
def nothing_left() -> Iterator[None]:
    """Fail if something is there after the block that was not there before.

    An orphan is nobody's descendant: who kills parents must `await_end` of the children.
    """
    gc.collect()  # files of an earlier test would be closed meanwhile
    before = open_fds(), descendants(), os.sched_getaffinity(0)
    with _own_temporary_folder() as folder:
        yield
        assert (open_fds(), descendants(), os.sched_getaffinity(0)) == before
        # Who removes them may be a process that notices our end, and is no descendant.
        until(lambda: not os.listdir(folder))


@contextmanager
def _own_temporary_folder() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", folder)
        patch.setattr(tempfile, "tempdir", folder)
        yield folder


def shared_files() -> set[str]:
    """Return what this process and those below it have open or map in /dev/shm."""
    found: set[str] = set()
    for process in (psutil.Process(), *descendants()):
        # It may have ended since; what a zombie had is for root to read only.
        with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            paths = (*_mapped_in(process), *_open_in(process).values())
            found.update(path for path in paths if path.startswith(_SHARED))
    return found


_PRIVATE: Final = (
    *("unshare", "--user", "--map-root-user", "--mount"),
    *("sh", "-c", 'mount -t tmpfs none /dev/shm && exec "$@"', "sh"),
)
"""Runs a command with an empty /dev/shm that only its processes see."""


@cache
def _private_mounts() -> bool:
    tried = subprocess.run([*_PRIVATE, "true"], stderr=subprocess.DEVNULL, check=False)
    return tried.returncode == 0


def files_left_by(program: str) -> list[str]:
    """Run a Python program with a /dev/shm of its own; return what is in it afterwards.

    The test is skipped where the kernel gives no mount namespace, as in many containers.
    """
    if not _private_mounts():
        pytest.skip("the kernel gives a process no /dev/shm of its own")
    listing = "import os as _os\nprint(*_os.listdir('/dev/shm'), sep='\\n')"
    done = subprocess.run(
        [*_PRIVATE, sys.executable, "-c", f"{program}\n{listing}"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout.split()


def await_end(processes: Iterable[psutil.Process]) -> None:
    """Return when none of `processes` runs any more, as an orphan perhaps.

    A zombie has ended: whose parent was killed waits for PID 1, which may take its time.
    """
    watched = list(processes)
    until(lambda: not any(map(_runs, watched)))


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
