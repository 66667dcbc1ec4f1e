"""Whether there is a QEMU to run tests on."""

from __future__ import annotations

import pytest

from vblkfuzz.errors import DeviceUnavailable
from vblkfuzz.targets.qemu.binary import find_qemu


def why_not() -> str:
    try:
        find_qemu("")
    except DeviceUnavailable as problem:
        return str(problem)
    return ""


NEEDS_QEMU = pytest.mark.skipif(bool(why_not()), reason=why_not() or "there is one")
