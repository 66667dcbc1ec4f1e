"""Any back-end, here a storage daemon, against the conformance suite of real targets."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.conformance.outline import outline
from tests.conformance.real_target import Failing, RealTargetContract
from tests.targets.qsd.binary import NEEDS_QSD
from tests.targets.vhost_user.backend import DAEMON
from vblkfuzz.executor import run_scenario
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.real import RealTarget
from vblkfuzz.targets.target import Target
from vblkfuzz.targets.vhost_user.rig import VhostUserRig
from vblkfuzz.targets.vhost_user.target import CONNECTIONS
from vblkfuzz.trace.kinds import OP

pytestmark = [pytest.mark.realdevice, NEEDS_QSD]


class FailingRig(Failing, VhostUserRig):
    pass


class TestVhostUser(RealTargetContract):
    target_name = "vhost-user"
    operator = object
    elsewhere = CONNECTIONS

    def factory(self, options: TargetOptions) -> Target:
        return super().factory(replace(options, vhost_user_command=DAEMON))

    def seen(self, target: Target, scenario: Scenario) -> object:
        """Return verdict and operations: the times at which a back-end acts vary."""
        execution = run_scenario(target, replace(scenario, schedule=()))
        done = tuple(event.flag for event in execution.trace.events if event.kind == OP)
        return outline(execution).signatures, done

    @staticmethod
    def failing_target() -> RealTarget:
        rig = FailingRig(TargetOptions(vhost_user_command=DAEMON))
        return RealTarget("vhost-user", "failing", rig, rig.port)
