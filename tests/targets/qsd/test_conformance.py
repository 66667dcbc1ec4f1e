"""A real storage daemon against the conformance suite of real targets."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.conformance.real_target import Failing, RealTargetContract
from tests.targets.qsd.binary import NEEDS_QSD
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qsd.operator import Operator
from vblkfuzz.targets.qsd.rig import ELSEWHERE, QsdRig
from vblkfuzz.targets.real import RealTarget

pytestmark = [pytest.mark.realdevice, NEEDS_QSD]


class FailingRig(Failing, QsdRig):
    pass


class TestQsd(RealTargetContract):
    target_name = "qsd"
    operator = Operator
    elsewhere = ELSEWHERE

    def steady(self, scenario: Scenario) -> Scenario:
        """QEMU 7.2 hangs now and then if an IOThread is not fixed (docs/real-devices.md)."""
        return replace(scenario, device=replace(scenario.device, fixed_iothread=True))

    @staticmethod
    def failing_target() -> RealTarget:
        rig = FailingRig(TargetOptions())
        return RealTarget("qsd", "failing", rig, rig.port)
