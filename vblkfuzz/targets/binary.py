"""Find a program that serves as the device; if there is none, the error says why in one line."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from vblkfuzz.errors import DeviceUnavailable
from vblkfuzz.suggestion import SEE_DOCTOR

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
    option: str
    """The option that names another binary; said only to users who have named none."""


class ProgramUnusable(DeviceUnavailable):
    """There is no program of that name that can serve as the device."""

    def __init__(self, problem: str, advice: str = "", more: str = "") -> None:
        super().__init__(f"{problem}: {advice}{more}" if advice else problem)
        self.problem = problem
        """What is wrong."""
        self.advice = advice
        """What to install, or which other binary to name; empty: the problem says it."""


def find_program(program: Program, binary: str) -> str:
    """Return the path of a usable binary; an empty name means the one on PATH.

    Raises:
        ProgramUnusable: the binary is missing, is another program, or is too old.
    """
    name = binary or program.name
    path = shutil.which(name)
    advice = program.install if binary else f"{program.install} or name one by {program.option}"
    more = "" if binary else SEE_DOCTOR
    if path is None:
        raise _unusable(name, advice, more)
    line = _version_line(path)
    version = re.match(rf"{program.version_prefix} (\d+)\.(\d+)", line)
    if version is None:
        raise ProgramUnusable(f"{path}: expected {program.name}, found {line or 'no version'}")
    if (int(version[1]), int(version[2])) < program.oldest:
        raise ProgramUnusable(f"{path}: version {version[1]}.{version[2]} is too old", advice, more)
    return path


def version_of(binary: str) -> str:
    """Return the version that a program of QEMU says it has; empty if it says none."""
    path = shutil.which(binary)
    said = re.search(r" version (\d[\w.+~-]*)", _version_line(path)) if path else None
    return said[1] if said else ""


def package_of(binary: str) -> str:
    """Return the distribution's package that a program of QEMU names; empty if it names none.

    Such as "Debian 1:7.2+dfsg-7+deb12u18": what `--with-pkgversion` of its build was.
    """
    path = shutil.which(binary)
    said = re.search(r" version \S+ \(([^()]+)\)", _version_line(path)) if path else None
    return said[1] if said else ""


def _unusable(name: str, advice: str, more: str) -> ProgramUnusable:
    """Return why a file cannot be run."""
    if Path(name).is_dir():
        return ProgramUnusable(f"{name}: expected a program, found a directory")
    if Path(name).exists() and os.sep in name:
        return ProgramUnusable(f"{name}: not executable: chmod +x, or name another binary")
    return ProgramUnusable(f"{name}: not found", advice, more)


def _version_line(path: str) -> str:
    """Return the first line that --version prints, or of what it says instead; empty: nothing."""
    try:
        said, complained = answer_of([path, "--version"])
    except subprocess.TimeoutExpired:
        return f"no answer to --version within {_PATIENCE_S:g} s"
    except OSError as error:
        return f"a file that cannot be run: {error.strerror}"
    line = said.strip() or complained.strip()
    return line.decode(errors="replace").partition("\n")[0].strip()


def answer_of(command: Sequence[str]) -> tuple[bytes, bytes]:
    """Return what a command writes to stdout and stderr; what it has started ends with it.

    Raises:
        subprocess.TimeoutExpired: it does not end in time.
        OSError: it cannot be run.
    """
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,  # a script may start others, which would outlive it
    ) as process:
        try:
            return process.communicate(timeout=_PATIENCE_S)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
