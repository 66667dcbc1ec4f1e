"""A real storage daemon as a target: all that every target must keep, on 200 scenarios and more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.conformance.inputs import fuzz_inputs
from tests.conformance.outline import outline
from tests.conformance.target import LARGE, Make, TargetContract
from tests.target.qsd.binary import NEEDS_QSD
from vblkfuzz.errors import HarnessError
from vblkfuzz.executor import run_scenario
from vblkfuzz.scenario.codec import decode
from vblkfuzz.scenario.ops import CODES, Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.target.options import TargetOptions
from vblkfuzz.target.qsd.rig import QsdRig
from vblkfuzz.target.qsd.target import qsd_target
from vblkfuzz.target.real import RealTarget
from vblkfuzz.target.recorder import Recorder
from vblkfuzz.target.target import Target

POLL_ON = CODES["poll_on"]

pytestmark = [pytest.mark.realdevice, NEEDS_QSD]


class FailingRig(QsdRig):
    """Fails where a real daemon has nothing to do."""

    def perform(self, operation: Op, recorder: Recorder) -> None:
        if operation.name == "start_fail" and operation.a == 3:
            raise HarnessError("asked to fail")
        super().perform(operation, recorder)


def failing_target() -> RealTarget:
    rig = FailingRig(TargetOptions())
    return RealTarget("qsd", "failing", rig, rig.port)


class TestQsd(TargetContract):
    def seen(self, target: Target, scenario: Scenario) -> object:
        """Only the verdict counts if an IOThread polls: what it sees first is up to the clock."""
        execution = run_scenario(target, replace(scenario, schedule=()))
        polls = scenario.device.polling or any(one.code == POLL_ON for one in scenario.ops)
        seen = outline(execution)
        return seen.signatures if polls else seen

    @pytest.fixture
    def make(self) -> Make:
        return lambda: qsd_target("vhost-user-blk", "processes", TargetOptions())

    @pytest.fixture
    def failing(self) -> tuple[Make, Scenario]:
        return failing_target, Scenario(ops=(op("init"), op("start_fail", queue=3)))

    def test_200_scenarios_forth_and_back(self, make: Make) -> None:
        """What is seen depends on the scenario alone, not on those before it."""
        scenarios = [decode(data) for data in fuzz_inputs(23, 200)]
        with make() as target:
            forth = [self.seen(target, scenario) for scenario in scenarios]
            back = [self.seen(target, scenario) for scenario in scenarios[::-1]]
        assert back[::-1] == forth

    @pytest.mark.parametrize("iothread", [True, False])
    def test_with_and_without_iothread(self, iothread: bool) -> None:
        with qsd_target("vhost-user-blk", "processes", TargetOptions(iothread=iothread)) as target:
            assert target.run(LARGE).events
