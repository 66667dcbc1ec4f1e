"""The host on which the cases of an export were run, and the program that was the device."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Final, NamedTuple

from vblkfuzz.targets.binary import package_of, version_of

if TYPE_CHECKING:
    from vblkfuzz.triage.case import Case

_PROGRAMS: Final = {"qemu": "qemu-system-x86_64", "qsd": "qemu-storage-daemon"}


class Host(NamedTuple):
    """What a bug report says about the host."""

    system: str
    """Name and version of the distribution."""
    kernel: str
    architecture: str
    program: str
    """Of QEMU; empty: the device is another one."""
    version: str
    """Of the program, and of its package if it says that; empty: it says none."""


def host_of(case: Case) -> Host:
    """Return the host of this process, which has run the case."""
    target, options = case.outcome.setup.target, case.outcome.target_options
    program = _PROGRAMS.get(target, "")
    binary = {"qemu": options.qemu_binary, "qsd": options.qsd_binary}.get(target) or program
    return Host(
        system=_system(),
        kernel=f"{platform.system()} {platform.release()}",
        architecture=platform.machine(),
        program=program,
        version=_version(binary) if program else "",
    )


def _version(binary: str) -> str:
    version, package = version_of(binary), package_of(binary)
    return f"{version} ({package})" if version and package else version


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()
