"""A small file system of a test: a tmpfs in a mount namespace of its own.

The campaign is started in the namespace. The test looks into it through /proc/PID/root of the
process that holds it. Nothing is mounted on the machine.
"""

from __future__ import annotations

import errno
import subprocess
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import pytest

from tests.waiting import WAIT_S

_NAMESPACE: Final = ("unshare", "--user", "--map-root-user", "--mount")
_HELD: Final = 'mount -t tmpfs -o "$1" none "$2" && echo mounted && exec cat'
_PAGE: Final = bytes(4096)


def private(script: str) -> tuple[str, ...]:
    """Return a command that runs another one after `script`, in a mount namespace of its own.

    The test is skipped where the kernel gives no such namespace, as in many containers.
    """
    if not _has_namespaces():
        pytest.skip("the kernel gives a process no mount namespace of its own")
    return (*_NAMESPACE, "sh", "-c", f'{script} && exec "$@"', "sh")


@cache
def _has_namespaces() -> bool:
    tried = [*_NAMESPACE, "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(tried, stderr=subprocess.DEVNULL, check=False).returncode == 0


class Disk:
    """A file system of limited size.

    Args:
        folder: an empty folder, to mount it on.
        options: of mount(8), such as ``size=64k`` or ``nr_inodes=20``.
    """

    def __init__(self, folder: Path, options: str) -> None:
        self.folder = folder.resolve()
        """Where it is, in the namespace."""
        command = [*private(":"), "sh", "-c", _HELD, "sh", options, str(self.folder)]
        self._holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == b"mounted\n"

    @property
    def through(self) -> tuple[str, ...]:
        """A command that runs another one in the namespace."""
        holder = ("--target", str(self._holder.pid))
        return ("nsenter", "--preserve-credentials", "--user", "--mount", "--wd=.", *holder)

    def seen(self, path: Path) -> Path:
        """Return a path of the namespace as one of ours.

        SQLite cannot use it: it resolves symbolic links itself, and /proc/PID/root is one.
        """
        return Path(f"/proc/{self._holder.pid}/root{path}")

    @property
    def _filler(self) -> Path:
        return self.seen(self.folder / ".filler")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._holder.communicate(timeout=WAIT_S)

    def fill(self) -> None:
        """Take all space that is left."""
        with self._filler.open("ab", buffering=0) as file:
            try:
                while file.write(_PAGE):
                    pass
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise

    def free(self) -> None:
        """Give it back."""
        self._filler.unlink()

    def grow(self) -> None:
        """Have space again, much of it."""
        options = "remount,size=64m,nr_inodes=100k"
        subprocess.run([*self.through, "mount", "-o", options, str(self.folder)], check=True)
