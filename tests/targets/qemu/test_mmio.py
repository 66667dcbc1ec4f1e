"""virtio-blk-device of a real QEMU, on virtio-mmio; a version without ioeventfds there says so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.targets.qemu.binary import EACH_QEMU
from vblkfuzz.errors import DeviceUnavailable, UsageError
from vblkfuzz.executor import Execution, run_scenario
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.as_run import as_run
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qemu.binary import find_qemu
from vblkfuzz.targets.qemu.hotplug import argument
from vblkfuzz.targets.qemu.rings_at_zero import QemuTarget
from vblkfuzz.targets.qemu.target import qemu_target
from vblkfuzz.targets.qemu.variant import Variant
from vblkfuzz.trace.event import ActorId
from vblkfuzz.trace.kinds import POP
from vblkfuzz.trace.probe import without_probe

pytestmark = pytest.mark.realdevice

INIT, COLLECT, RESET = op("init"), op("collect"), op("reset")
WRITE = op("publish_kick", request="out", sector=3)
SERVED = (INIT, WRITE, COLLECT)


@pytest.fixture(scope="module", params=EACH_QEMU)
def target(request: pytest.FixtureRequest) -> Iterator[QemuTarget]:
    try:
        find_qemu(request.param, mmio=True)
    except DeviceUnavailable as problem:
        pytest.skip(str(problem))
    options = TargetOptions(qemu_binary=request.param)
    with qemu_target("virtio-blk-device", "processes", options) as target:
        yield target


def run(target: QemuTarget, *ops: Op, iothreads: int = 1, ioeventfd: bool = True) -> Execution:
    device = DeviceConfig(queues=2, queue_size=16, iothreads=iothreads, ioeventfd=ioeventfd)
    return run_scenario(target, Scenario(device, ops))


def signatures(execution: Execution) -> set[str]:
    return {one.signature for one in execution.verdict.violations}


def poppers(execution: Execution) -> set[int]:
    events = without_probe(execution.trace.events)
    return {event.actor for event in events if event.kind == POP}


@pytest.mark.parametrize("iothreads", [0, 1, 2])
def test_it_is_served_after_all_that_resets_or_moves_it(target: QemuTarget, iothreads: int) -> None:
    moved = (op("stop"), op("save"), op("restore"), WRITE, COLLECT)
    kept = (op("save", by="snapshot"), op("restore"), WRITE, COLLECT)
    ways = (RESET, *SERVED, op("system_reset"), *SERVED, op("reset", way="function"), *SERVED)
    more = (op("writeback", mode="writethrough"), op("read_config"), op("stray_kick", queue=3))
    execution = run(target, *SERVED, *ways, *moved, *kept, *more, iothreads=iothreads)
    assert not signatures(execution)


def test_its_threads(target: QemuTarget) -> None:
    both = (INIT, WRITE, op("publish_kick", queue=1), COLLECT)
    assert poppers(run(target, *both, iothreads=2)) == {ActorId.IO0, ActorId.IO1}
    assert poppers(run(target, *both, iothreads=1)) == {ActorId.IO0}
    assert not poppers(run(target, *both, ioeventfd=False)) & {ActorId.IO0, ActorId.IO1}


def test_a_reset_in_a_section_dequeues(target: QemuTarget) -> None:
    inside = (INIT, op("drain_begin"), WRITE, RESET, op("drain_end"))
    assert "s1-reset" in signatures(run(target, *inside))
    assert not signatures(run(target, INIT, WRITE, RESET))


def test_it_offers_a_reset_of_queues_and_has_none(target: QemuTarget) -> None:
    assert "s25-enabled" in signatures(run(target, *SERVED, op("queue_reset")))
    declined = op("init", decline="ring_reset")
    assert not signatures(run(target, declined, WRITE, COLLECT, op("queue_reset"), WRITE))


def test_it_cannot_be_unplugged(target: QemuTarget) -> None:
    execution = run(target, *SERVED, op("replug"), WRITE, COLLECT)
    assert not signatures(execution)
    assert not any(event.epoch for event in without_probe(execution.trace.events))


def test_it_is_virtio_blk_of_no_bus() -> None:
    opened = qemu_target("virtio-blk-device", "processes", TargetOptions())
    assert as_run(opened, Scenario(DeviceConfig(kind="scsi"))).device.kind == "blk"
    words = argument(Variant(iothreads=1, ioeventfd=True, bus="mmio"), "n0").split(",")
    assert words[0] == "-device virtio-blk-device"
    assert not [word for word in words if word.startswith(("addr=", "disable-legacy="))]
    with pytest.raises(UsageError, match="virtio-blk-device only"):
        qemu_target("virtio-net-device", "processes", TargetOptions())
