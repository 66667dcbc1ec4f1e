"""Programs that real devices and tests need."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING, Final

from vblkfuzz.doctor.check import Found, limited, no, yes
from vblkfuzz.targets.binary import ProgramUnusable, answer_of, version_of
from vblkfuzz.targets.qemu.binary import find_qemu
from vblkfuzz.targets.qsd.binary import find_qsd

if TYPE_CHECKING:
    from collections.abc import Callable

_NO_QEMU: Final = ("not tried: there is no usable QEMU", "see qemu above")
_ONE_ACCELERATOR: Final = "tcg"
"""The vCPU of target `qemu` halts at once; TCG is there on each machine, KVM is not."""


def qemu(binary: str) -> Found:
    """Find a QEMU that is new enough."""
    return _device(find_qemu, binary)


def storage_daemon(binary: str) -> Found:
    """Find a qemu-storage-daemon that is new enough."""
    return _device(find_qsd, binary)


def _device(find: Callable[[str], str], binary: str) -> Found:
    try:
        path = find(binary)
    except ProgramUnusable as error:
        return no(error.problem, error.advice)
    return yes(f"{version_of(path)}, {path}")


def qemu_trace(binary: str) -> Found:
    """Find whether QEMU writes its events to a log, and those of each thread to one of its own."""
    try:
        items = _answer(find_qemu(binary), "-d", "help")
    except ProgramUnusable:
        return no(*_NO_QEMU)
    if not re.search(r"^trace:", items, re.MULTILINE):
        return no("no backend log: events are not written")
    if not re.search(r"^tid\b", items, re.MULTILINE):
        return limited("backend log; no -d tid", "take QEMU 7.1 or later")
    return yes("backend log; -d tid")


def qemu_accelerator(binary: str) -> Found:
    """Find whether QEMU can run without KVM; its guest is driven by qtest."""
    try:
        names = _answer(find_qemu(binary), "-accel", "help").split("\n")[1:]
    except ProgramUnusable:
        return no(*_NO_QEMU)
    found = ", ".join(filter(None, map(str.strip, names)))
    if _ONE_ACCELERATOR not in names:
        return no(found or "none")
    return yes(found)


def program(name: str, *others: str) -> Found:
    """Find a program on PATH, or one of some others that do the same; and its version."""
    path = next(filter(None, map(shutil.which, (name, *others))), None)
    if path is None:
        return no("not found")
    version = re.search(r"\d+\.\d[\w.]*", _answer(path, "--version"))
    if version is None:
        return no(f"{path}: no answer to --version")
    return yes(f"{version[0]}, {path}")


def _answer(*command: str) -> str:
    """Return what a program prints."""
    return answer_of(command)[0].decode(errors="replace")
