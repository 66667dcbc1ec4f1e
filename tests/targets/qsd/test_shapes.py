"""Features and request shapes of a real qemu-storage-daemon."""

from __future__ import annotations

import pytest

from tests.targets.qsd.binary import NEEDS_QSD
from tests.targets.shapes import ShapesContract
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qsd.target import qsd_target
from vblkfuzz.targets.real import RealTarget


@pytest.mark.realdevice
@NEEDS_QSD
class TestShapes(ShapesContract):
    def target(self) -> RealTarget:
        return qsd_target("vhost-user-blk", "processes", TargetOptions())
