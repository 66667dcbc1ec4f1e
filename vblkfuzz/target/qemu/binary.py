"""Finding a QEMU binary that can be used, or saying in one line why there is none."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Final

from vblkfuzz.errors import DeviceUnavailable

NAME: Final = "qemu-system-x86_64"
OLDEST: Final = (6, 2)
"""Oldest version that knows all we use (blockdev-reopen is stable since then)."""

_INSTALL: Final = (
    "install QEMU 6.2 or later (Debian: apt-get install --no-install-recommends qemu-system-x86) "
    "or name a binary by --qemu-binary"
)
_PATIENCE_S: Final = 10.0


def find_qemu(binary: str) -> str:
    """Return the path of a usable binary; an empty name means the one on PATH.

    Raises:
        DeviceUnavailable: there is none, it is something else, or it is too old.
    """
    path = shutil.which(binary or NAME)
    if path is None:
        raise DeviceUnavailable(f"{binary or NAME}: not found: {_INSTALL}")
    said = _version(path)
    version = re.match(r"QEMU emulator version (\d+)\.(\d+)", said)
    if version is None:
        raise DeviceUnavailable(f"{path}: expected {NAME}, found {said or 'no version'}")
    if (int(version[1]), int(version[2])) < OLDEST:
        raise DeviceUnavailable(f"{path}: version {version[1]}.{version[2]} is too old: {_INSTALL}")
    return path


def _version(path: str) -> str:
    """Return the first line of what it says of itself; empty if it does not."""
    try:
        said = subprocess.run(
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE_S,
            check=False,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return said.decode(errors="replace").partition("\n")[0].strip()
