"""The output folder: its parts, and that one campaign at a time uses it.

    corpus/       raw inputs, shared by all workers
    findings/     one folder a signature
    harness/      inputs on which the harness itself failed
    quarantine/   corpus files that could not be read
    log/          what libFuzzer and the workers print
    campaign.sqlite

The lock lies in ``log/``. Nothing outside the folder is touched.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Final

from vblkfuzz.errors import HarnessError, UsageError
from vblkfuzz.store.atomic import TEMPORARY, write_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PAUSES_S: Final = (0.02, 0.05, 0.1)
"""Seconds between attempts to take the lock: somebody may just be looking (`is_claimed`)."""
_FOLDERS: Final = ("corpus", "findings", "harness", "log")


@contextmanager
def claimed(out: Path) -> Iterator[None]:
    """Make the folder ready and keep other campaigns out of it.

    Raises:
        UsageError: another campaign uses it.
        HarnessError: it cannot be written.
    """
    try:
        for name in _FOLDERS:
            (out / name).mkdir(parents=True, exist_ok=True)
        # "a": a second campaign must not cut what the first has written.
        file = (out / "log" / "lock").open("a", encoding="ascii")
    except OSError as error:
        raise _unwritable(out, error) from error
    with file:
        _lock(file, out)
        try:
            _sign(file)
            _sweep(out)
            _try_to_write(out)
        except OSError as error:
            raise _unwritable(out, error) from error
        yield


def is_claimed(out: Path) -> bool:
    """Whether a campaign uses the folder now."""
    try:
        with (out / "log" / "lock").open(encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _lock(file: IO[str], out: Path) -> None:
    """Take the lock; the kernel frees it with the process, however that ends."""
    for pause in _PAUSES_S:
        with suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(pause)
    raise UsageError(f"{out}: another campaign uses it; choose another --out")


def _sign(file: IO[str]) -> None:
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()


def _sweep(out: Path) -> None:
    """Remove what a killed worker was about to write (`atomic`)."""
    for left in out.glob(f"*/{TEMPORARY}*"):
        if left.is_dir():
            shutil.rmtree(left)
        else:
            left.unlink()


def _try_to_write(out: Path) -> None:
    """A full disk is better noticed now."""
    path = out / "log" / "writable"
    write_file(path, b"yes\n")
    path.unlink()


def _unwritable(out: Path, error: OSError) -> HarnessError:
    return HarnessError(f"{out}: cannot be written: {error.strerror or error}")
