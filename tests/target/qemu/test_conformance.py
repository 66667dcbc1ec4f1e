"""Real QEMU as a target: all that every real target must keep."""

from __future__ import annotations

import pytest

from tests.conformance.real_target import Failing, RealTargetContract
from tests.target.qemu.binary import NEEDS_QEMU
from vblkfuzz.target.options import TargetOptions
from vblkfuzz.target.qemu.rig import QemuRig
from vblkfuzz.target.qemu.target import qemu_target
from vblkfuzz.target.real import RealTarget
from vblkfuzz.target.target import Target

pytestmark = [pytest.mark.realdevice, NEEDS_QEMU]


class FailingRig(Failing, QemuRig):
    pass


class TestQemu(RealTargetContract):
    @staticmethod
    def factory(options: TargetOptions) -> Target:
        return qemu_target("virtio-blk-pci", "processes", options)

    @staticmethod
    def failing_target() -> RealTarget:
        rig = FailingRig(TargetOptions())
        return RealTarget("qemu", "failing", rig, rig.port)
