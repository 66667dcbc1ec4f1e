"""Real QEMU against the conformance suite of real targets."""

from __future__ import annotations

import pytest

from tests.conformance.real_target import Failing, RealTargetContract
from tests.targets.qemu.binary import NEEDS_QEMU
from tests.targets.qemu.broken_rings import spared
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.nbd.backend import BACKEND_OPS
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qemu.operator import Operator
from vblkfuzz.targets.qemu.rig import QemuRig
from vblkfuzz.targets.real import RealTarget

pytestmark = [pytest.mark.realdevice, NEEDS_QEMU]


class FailingRig(Failing, QemuRig):
    pass


class TestQemu(RealTargetContract):
    target_name = "qemu"
    operator = Operator
    elsewhere = BACKEND_OPS

    def steady(self, scenario: Scenario) -> Scenario:
        """Return a scenario that breaks no packed ring, after which 7.2 spins."""
        return spared(scenario)

    @staticmethod
    def failing_target() -> RealTarget:
        rig = FailingRig(TargetOptions())
        return RealTarget("qemu", "failing", rig, rig.port)
