"""QEMU as a front-end against the conformance suite of real targets."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.conformance.real_target import Failing, RealTargetContract
from tests.targets.qemu.binary import NEEDS_QEMU
from tests.targets.vhost_user_frontend.steady import steady
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.real import RealTarget
from vblkfuzz.targets.vhost_user_frontend.operator import Operator
from vblkfuzz.targets.vhost_user_frontend.rig import FrontendRig

pytestmark = [pytest.mark.realdevice, NEEDS_QEMU]


class FailingRig(Failing, FrontendRig):
    pass


class TestFrontend(RealTargetContract):
    target_name = "vhost-user-frontend"
    operator = Operator

    def steady(self, scenario: Scenario) -> Scenario:
        return steady(scenario)

    @staticmethod
    def failing_target() -> RealTarget:
        rig = FailingRig(TargetOptions())
        return RealTarget("vhost-user-frontend", "failing", rig, rig.port)


class TestOnPackedRings(TestFrontend):
    def steady(self, scenario: Scenario) -> Scenario:
        kept = steady(scenario)
        return replace(kept, device=replace(kept.device, ring="packed"))
