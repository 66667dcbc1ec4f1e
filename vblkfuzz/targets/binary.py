"""Finding a program that can be used as a device, or saying in one line why there is none."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Final, NamedTuple

from vblkfuzz.errors import DeviceUnavailable

_PATIENCE_S: Final = 10.0


class Program(NamedTuple):
    """A program that a target starts."""

    name: str
    """As on PATH."""
    says: str
    """How the first line of --version begins, before the number."""
    oldest: tuple[int, int]
    """Oldest version that knows all we use."""
    install: str
    """What to do if there is none."""


def find_program(program: Program, binary: str) -> str:
    """Return the path of a usable binary; an empty name means the one on PATH.

    Raises:
        DeviceUnavailable: there is none, it is something else, or it is too old.
    """
    path = shutil.which(binary or program.name)
    if path is None:
        raise DeviceUnavailable(f"{binary or program.name}: not found: {program.install}")
    said = _version(path)
    version = re.match(rf"{program.says} (\d+)\.(\d+)", said)
    if version is None:
        raise DeviceUnavailable(f"{path}: expected {program.name}, found {said or 'no version'}")
    if (int(version[1]), int(version[2])) < program.oldest:
        raise DeviceUnavailable(
            f"{path}: version {version[1]}.{version[2]} is too old: {program.install}"
        )
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
