"""Replug of a back-end: the front-end closes its connection and connects again."""

from __future__ import annotations

import pytest

from tests.conformance.leftovers import nothing_left
from tests.targets.qsd.binary import NEEDS_QSD
from tests.targets.vhost_user.backend import DAEMON
from vblkfuzz.executor import Execution, run_scenario
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.vhost_user.target import vhost_user_target
from vblkfuzz.trace.kinds import COLLECT, RESET_CALL

INIT, LOOK = op("init"), op("collect")
READ = op("publish_kick", request="in", sector=3)
UNPLUG = 2


def run(*ops: Op) -> Execution:
    options = TargetOptions(vhost_user_command=DAEMON)
    with nothing_left(), vhost_user_target("vhost-user-blk", "processes", options) as target:
        return run_scenario(target, Scenario(DeviceConfig(), ops))


@pytest.mark.realdevice
@NEEDS_QSD
@pytest.mark.parametrize("part", ["device", "connection"])
def test_a_storage_daemon(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine it may take longer than a campaign waits."""
    monkeypatch.setattr("vblkfuzz.targets.vhost_user.rig._PATIENCE_S", 0.5)
    plug = op("replug", part=part)
    execution = run(plug, INIT, READ, LOOK, plug, plug, INIT, READ, LOOK)
    assert execution.verdict.clean
    events = execution.trace.events
    assert [event.kind for event in events].count(COLLECT) == 2
    unplugs = [event for event in events if event.kind == RESET_CALL and event.flag == UNPLUG]
    assert len(unplugs) == 3


@pytest.mark.realdevice
@NEEDS_QSD
def test_the_device_of_a_saved_vm_stays() -> None:
    execution = run(INIT, op("save"), op("replug"), op("restore"))
    assert execution.verdict.clean
    assert RESET_CALL not in [event.kind for event in execution.trace.events]
