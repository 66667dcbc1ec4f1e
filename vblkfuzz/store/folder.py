"""The output folder: its parts, and the lock that lets one campaign at a time use it.

    corpus/           raw inputs, shared by all workers
    features/         what each of them showed when it ran
    findings/         one folder per signature
    harness/          inputs on which the harness itself failed
    quarantine/       files that are no valid inputs: which, and why
    log/              output of libFuzzer and the workers; the lock
    campaign.sqlite   the ledger; while a campaign runs, there are files beside it

Nothing outside the folder is changed.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import time
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Final

from vblkfuzz.errors import HarnessError, UsageError
from vblkfuzz.store.atomic import TEMPORARY, write_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_PAUSES_S: Final = (0.02, 0.05, 0.1)
"""Seconds after each attempt to take the lock: `is_claimed` may hold it for a moment."""
_DISK: Final = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
"""Errors of the disk: not of the folder that the user has chosen."""
_FOLDERS: Final = ("corpus", "findings", "harness")
PARTS: Final = (*_FOLDERS, "features", "quarantine", "log")
"""Names of the folders in an output folder."""


@contextmanager
def claimed(out: Path, folders: Sequence[str] = _FOLDERS) -> Iterator[None]:
    """Prepare the folder and hold its lock.

    Args:
        out: the folder.
        folders: its parts that are made, beside `log`.

    Raises:
        UsageError: another process uses the folder, or it cannot be written.
        HarnessError: the disk is full or broken.
    """
    try:
        for name in (*folders, "log"):
            (out / name).mkdir(parents=True, exist_ok=True)
        # Opened with "a": a second campaign must not truncate the file before it has the lock.
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
    """Whether a campaign is using the folder."""
    try:
        with (out / "log" / "lock").open(encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _lock(file: IO[str], out: Path) -> None:
    """Take the lock; the kernel releases it when the process ends, in whatever way."""
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
    """Remove unfinished files and folders of killed processes (`atomic`)."""
    for left in [one for at in ("", "*/", "findings/*/") for one in out.glob(f"{at}{TEMPORARY}*")]:
        if left.is_dir():
            shutil.rmtree(left)
        else:
            left.unlink(missing_ok=True)  # it was in a folder that is removed already


def _try_to_write(out: Path) -> None:
    """Write and remove a file, so that a full disk is reported at the start."""
    path = out / "log" / "writable"
    write_file(path, b"yes\n")
    path.unlink()


def _unwritable(out: Path, error: OSError) -> UsageError | HarnessError:
    problem = f"{out}: cannot be written: {error.strerror or error}"
    if error.errno in _DISK:
        return HarnessError(problem)
    return UsageError(f"{problem}; choose another --out")
