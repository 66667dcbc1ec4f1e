"""Data that the guest reads through a real QEMU is judged wherever the disk is known."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.targets.qemu.binary import NEEDS_QEMU
from vblkfuzz.executor import Execution, run_scenario
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.handover import Handover
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qemu.rig import QemuRig
from vblkfuzz.targets.real import RealTarget
from vblkfuzz.targets.recorder import Recorder
from vblkfuzz.trace.witness import Witness

pytestmark = [pytest.mark.realdevice, NEEDS_QEMU]

WRITE = op("publish_kick", request="out", sector=3)
READ = op("publish_kick", request="in", sector=3)
LOOK = op("collect")


class ForgettingRig(QemuRig):
    """Zeroes its disks in `start_fail`, an operation that does nothing on a real QEMU."""

    def perform(self, operation: Op, recorder: Recorder) -> Handover | None:
        if operation.name == "start_fail":
            self.machine.qemu.disks.clear()
        return super().perform(operation, recorder)


@pytest.fixture(scope="module")
def target() -> Iterator[RealTarget]:
    rig = ForgettingRig(TargetOptions())
    with RealTarget("qemu", "virtio-blk-pci", rig, rig.port) as target:
        yield target


def run(target: RealTarget, *ops: Op, iothreads: int = 1) -> Execution:
    return run_scenario(target, Scenario(DeviceConfig(iothreads=iothreads), (op("init"), *ops)))


@pytest.mark.parametrize("iothreads", [0, 1])
def test_data(target: RealTarget, iothreads: int) -> None:
    good = run(target, READ, LOOK, WRITE, LOOK, READ, LOOK, iothreads=iothreads)
    assert good.verdict.clean
    assert "data_read_back" in good.verdict.situations
    bad = run(target, WRITE, LOOK, op("start_fail"), READ, LOOK, iothreads=iothreads)
    assert [one.signature for one in bad.verdict.violations] == ["s14-stale"]


@pytest.mark.parametrize("end", [op("mirror_finish"), op("drain_end")])
def test_data_goes_with_the_mirror(target: RealTarget, end: Op) -> None:
    begin = {"mirror_finish": op("mirror_begin"), "drain_end": op("drain_begin")}[end.name]
    execution = run(target, WRITE, LOOK, begin, READ, end, LOOK, WRITE, LOOK, READ, LOOK)
    assert execution.verdict.clean
    assert "data_read_back" in execution.verdict.situations


def test_a_resize_takes_effect_at_an_unknown_time(target: RealTarget) -> None:
    assert Witness.DISK in run(target, WRITE).trace.witnesses
    assert Witness.DISK not in run(target, op("resize", sectors=8), WRITE).trace.witnesses
