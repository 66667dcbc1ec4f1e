"""Features and request shapes of a real QEMU."""

from __future__ import annotations

import pytest

from tests.targets.qemu.binary import NEEDS_QEMU
from tests.targets.shapes import ShapesContract
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qemu.target import qemu_target
from vblkfuzz.targets.real import RealTarget


@pytest.mark.realdevice
@NEEDS_QEMU
class TestShapes(ShapesContract):
    def target(self) -> RealTarget:
        return qemu_target("virtio-blk-pci", "processes", TargetOptions())
