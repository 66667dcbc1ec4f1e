"""Whether there is a QEMU to run tests on."""

from __future__ import annotations

import pytest

from tests.targets.binaries import each
from vblkfuzz.errors import DeviceUnavailable
from vblkfuzz.targets.qemu.binary import find_qemu


def why_not() -> str:
    try:
        find_qemu("")
    except DeviceUnavailable as problem:
        return str(problem)
    return ""


NEEDS_QEMU = pytest.mark.skipif(bool(why_not()), reason=why_not() or "there is one")

EACH_QEMU = each("VBLKFUZZ_QEMU_BINARIES", find_qemu)
"""Parameters of a fixture: the path of each one, see `tests.targets.binaries`."""
