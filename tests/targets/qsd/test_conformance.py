"""A real storage daemon against the conformance suite of real targets."""

from __future__ import annotations

import pytest

from tests.conformance.real_target import Failing, RealTargetContract
from tests.targets.qsd.binary import NEEDS_QSD
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

    @staticmethod
    def failing_target() -> RealTarget:
        rig = FailingRig(TargetOptions())
        return RealTarget("qsd", "failing", rig, rig.port)
