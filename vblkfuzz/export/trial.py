"""The trial of an exported program: whether it shows the bug on the QEMU that is there.

The program has a driver, steps and checks of its own, no schedule, and may leave out operations. So
a bug may not show in it, and for `git bisect run` "nothing is wrong" would mean a good revision.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from vblkfuzz.errors import DeviceUnavailable
from vblkfuzz.targets.qemu.binary import find_qemu

_LIMIT_S: Final = 120.0
_SHOWS: Final = 1
"""Exit status of a program that has shown the bug."""


def not_seen(program: str, binary: str) -> str:
    """Run a program; return why it was not seen to show the bug, empty if it has shown it.

    Args:
        program: its text.
        binary: path of qemu-system-x86_64; empty: the one on PATH.
    """
    try:
        qemu = find_qemu(binary)
    except DeviceUnavailable as error:
        return f"it could not be run: {error}"
    with tempfile.TemporaryDirectory(prefix="vblkfuzz-trial-") as folder:
        path = Path(folder, "program.py")
        path.write_text(program)
        status = _exit_status(path, qemu)
    if status == _SHOWS:
        return ""
    if status is None:
        return f"it did not end within {_LIMIT_S:g} s on {qemu}"
    return f"it found nothing wrong on {qemu}" if not status else f"it ended with status {status}"


def _exit_status(path: Path, qemu: str) -> int | None:
    """Run a program with its QEMU; None: it did not end, and both were killed."""
    # A test for QEMU's suites takes the QEMU from the environment, a reproducer as its argument.
    with subprocess.Popen(
        [sys.executable, "-I", str(path), qemu],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "QEMU_TEST_QEMU_BINARY": qemu},
        start_new_session=True,
    ) as process:
        try:
            return process.wait(_LIMIT_S)
        except subprocess.TimeoutExpired:
            return None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
