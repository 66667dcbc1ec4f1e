"""Find a program that serves as the device; if there is none, the error says why in one line."""

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
    """File name to search for on PATH."""
    version_prefix: str
    """Text before the number in the first line of --version."""
    oldest: tuple[int, int]
    """Oldest version (major, minor) that has all features used here."""
    install: str
    """How to install it; ends the error message if no usable binary is found."""


def find_program(program: Program, binary: str) -> str:
    """Return the path of a usable binary; an empty name means the one on PATH.

    Raises:
        DeviceUnavailable: the binary is missing, is another program, or is too old.
    """
    path = shutil.which(binary or program.name)
    if path is None:
        raise DeviceUnavailable(f"{binary or program.name}: not found: {program.install}")
    line = _version_line(path)
    version = re.match(rf"{program.version_prefix} (\d+)\.(\d+)", line)
    if version is None:
        raise DeviceUnavailable(f"{path}: expected {program.name}, found {line or 'no version'}")
    if (int(version[1]), int(version[2])) < program.oldest:
        raise DeviceUnavailable(
            f"{path}: version {version[1]}.{version[2]} is too old: {program.install}"
        )
    return path


def _version_line(path: str) -> str:
    """Return the first line that --version prints; empty if there is none."""
    try:
        output = subprocess.run(
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE_S,
            check=False,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return output.decode(errors="replace").partition("\n")[0].strip()
