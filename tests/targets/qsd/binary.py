"""Whether there is a QEMU to run tests on."""

from __future__ import annotations

import pytest

from tests.targets.binaries import each
from vblkfuzz.errors import DeviceUnavailable
from vblkfuzz.targets.qsd.binary import find_qsd


def why_not() -> str:
    try:
        find_qsd("")
    except DeviceUnavailable as problem:
        return str(problem)
    return ""


NEEDS_QSD = pytest.mark.skipif(bool(why_not()), reason=why_not() or "there is one")

EACH_QSD = each("VBLKFUZZ_QSD_BINARIES", find_qsd)
"""Parameters of a fixture: the path of each one, see `tests.targets.binaries`."""
