"""A start of the device that fails for want of files: real QEMU serves requests all the same."""

from __future__ import annotations

import pytest

from tests.targets.qemu.binary import NEEDS_QEMU
from vblkfuzz.executor import Execution, run_scenario
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.qemu.rig import QemuRig
from vblkfuzz.targets.qemu.rings_at_zero import QemuTarget
from vblkfuzz.trace.kinds import PUSH

pytestmark = [pytest.mark.realdevice, NEEDS_QEMU]

WRITE = op("publish_kick", request="out", sector=3)
READ = op("publish_kick", request="in", sector=3)
JOB = op("block_job", kind="commit")
ABORTS = "crash-sigabrt-virtio_blk_set_status"
"""QEMU 7.2, if the start fails before the first queue is ready, at the next reset."""


def run(target: QemuTarget, *ops: Op, ioeventfd: bool = True, iothreads: int = 1) -> Execution:
    config = DeviceConfig(queue_size=16, ioeventfd=ioeventfd, iothreads=iothreads)
    return run_scenario(target, Scenario(config, ops))


def pushes(execution: Execution) -> int:
    return [event.kind for event in execution.trace.events].count(PUSH)


FAILS = [op("start_fail", queue=queue) for queue in range(4)]


@pytest.mark.parametrize("iothreads", [0, 1])
@pytest.mark.parametrize("fail", FAILS, ids=str)
@pytest.mark.parametrize(
    "start",
    [(op("init"),), (op("init"), op("stop"), op("cont")), (JOB, op("poll_on"), op("init"), JOB)],
    ids=["init", "cont", "other operations"],
)
def test_requests_are_served_without_ioeventfds(
    rig: QemuRig, target: QemuTarget, fail: Op, start: tuple[Op, ...], iothreads: int
) -> None:
    """QEMU's other operations are not disturbed, before and after."""
    ops = list(start)
    ops.insert(len(ops) - 1 if op("cont") in start else 0, fail)
    execution = run(target, *ops, WRITE, READ, op("collect"), iothreads=iothreads)
    found = [one.signature for one in execution.verdict.violations]
    assert pushes(execution) == 2
    if fail == FAILS[0] and found:
        (signature,) = found
        assert signature.startswith(ABORTS)
    else:
        assert found == []
        assert rig.machine.qemu.failed_starts() == 1


def test_only_the_next_start_fails(rig: QemuRig, target: QemuTarget) -> None:
    again = (op("reset"), op("init"), WRITE, op("collect"))
    assert run(target, FAILS[1], op("init"), WRITE, *again).verdict.clean
    assert rig.machine.qemu.failed_starts() == 1


def test_the_next_scenario_gets_another_process(rig: QemuRig, target: QemuTarget) -> None:
    """QEMU does not recover: its next stop leaves handlers behind (docs/real-devices.md)."""
    run(target, FAILS[1], op("init"), WRITE)
    failed = rig.machine.qemu
    run(target, op("init"), WRITE)
    assert rig.machine.qemu is not failed
    assert rig.machine.qemu.failed_starts() == 0


def test_a_failure_that_never_came_is_over(rig: QemuRig, target: QemuTarget) -> None:
    run(target, op("init"), WRITE, FAILS[1])
    kept = rig.machine.qemu
    assert run(target, op("init"), WRITE, JOB, READ, op("collect")).verdict.clean
    assert rig.machine.qemu is kept
    assert kept.failed_starts() == 0


def test_without_ioeventfd_no_start_can_fail(rig: QemuRig, target: QemuTarget) -> None:
    execution = run(target, FAILS[0], op("init"), WRITE, op("collect"), ioeventfd=False)
    assert execution.verdict.clean
    assert pushes(execution) == 1
    assert rig.machine.qemu.failed_starts() == 0
