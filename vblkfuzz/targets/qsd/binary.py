"""The program that target `qsd` starts."""

from __future__ import annotations

from typing import Final

from vblkfuzz.targets.binary import Program, find_program

_QSD: Final = Program(
    name="qemu-storage-daemon",
    version_prefix="qemu-storage-daemon version",
    oldest=(6, 2),  # has a stable blockdev-reopen and stable vhost-user-blk exports
    install="install QEMU 6.2 or later (Debian: apt-get install --no-install-recommends "
    "qemu-system-common, from QEMU 11 on qemu-utils)",
    option="--qsd-binary",
)


def find_qsd(binary: str) -> str:
    """Return the path of a usable binary; an empty name means the one on PATH.

    Raises:
        ProgramUnusable: the binary is missing, is another program, or is too old.
    """
    return find_program(_QSD, binary)
