"""The program that target `qsd` starts."""

from __future__ import annotations

from typing import Final

from vblkfuzz.targets.binary import Program, find_program

_QSD: Final = Program(
    name="qemu-storage-daemon",
    says="qemu-storage-daemon version",
    oldest=(6, 2),  # blockdev-reopen and vhost-user-blk exports without a later surprise
    install="install QEMU 6.2 or later (Debian: apt-get install --no-install-recommends "
    "qemu-system-common) or name a binary by --qsd-binary",
)


def find_qsd(binary: str) -> str:
    """Return the path of a usable binary; an empty name means the one on PATH.

    Raises:
        DeviceUnavailable: there is none, it is something else, or it is too old.
    """
    return find_program(_QSD, binary)
