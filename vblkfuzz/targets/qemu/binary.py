"""The program that target `qemu` starts."""

from __future__ import annotations

from typing import Final

from vblkfuzz.targets.binary import Program, find_program

_QEMU: Final = Program(
    name="qemu-system-x86_64",
    version_prefix="QEMU emulator version",
    oldest=(7, 1),  # the first with thread-pool-max; blockdev-reopen is stable since 6.1
    install="install QEMU 7.1 or later (Debian: apt-get install --no-install-recommends "
    "qemu-system-x86)",
    option="--qemu-binary",
)

_WITH_MMIO: Final = _QEMU._replace(
    oldest=(10, 0), install="virtio-blk-device needs QEMU 10.0 or later; install one"
)


def find_qemu(binary: str, *, mmio: bool = False) -> str:
    """Return the path of a usable binary; an empty name means the one on PATH.

    One for a device on virtio-mmio has ioeventfds there without KVM: 7.2 has not, 10.0 has.

    Raises:
        ProgramUnusable: the binary is missing, is another program, or is too old.
    """
    return find_program(_WITH_MMIO if mmio else _QEMU, binary)
