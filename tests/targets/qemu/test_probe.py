"""The probe on a real QEMU: dead devices, devices that work, and what needs no probe."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.targets.outcomes import but_spins
from tests.targets.qemu.binary import NEEDS_QEMU
from vblkfuzz.executor import Execution, run_scenario
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qemu.rig import QemuRig
from vblkfuzz.targets.real import RealTarget
from vblkfuzz.trace.kinds import (
    COLLECT,
    DRIVER_INIT,
    ENABLE_READ,
    POP,
    PUBLISH,
    PUSH,
    RESET_RET,
)
from vblkfuzz.trace.probe import probe_of

pytestmark = [pytest.mark.realdevice, NEEDS_QEMU]

INIT, WRITE, RESET = op("init"), op("publish_kick", request="out"), op("reset")
BEGIN, END, LOOK = op("drain_begin"), op("drain_end"), op("collect")


@pytest.fixture(scope="module")
def rig() -> QemuRig:
    return QemuRig(TargetOptions())


@pytest.fixture(scope="module")
def target(rig: QemuRig) -> Iterator[RealTarget]:
    with RealTarget("qemu", "virtio-blk-pci", rig, rig.port) as target:
        yield target


def run(target: RealTarget, *ops: Op, queues: int = 1) -> Execution:
    return run_scenario(target, Scenario(DeviceConfig(queues=queues), ops))


def probed(execution: Execution) -> list[int]:
    return [event.kind for event in probe_of(execution.trace.events)]


@pytest.mark.parametrize("ops", [(INIT, BEGIN, END), (INIT, op("stop")), (INIT, op("snapshot"))])
def test_each_queue_gets_a_request(target: RealTarget, ops: tuple[Op, ...]) -> None:
    execution = run(target, *ops, queues=3)
    assert but_spins(execution.verdict) == []
    seen = probed(execution)
    assert [seen.count(kind) for kind in (DRIVER_INIT, PUBLISH, COLLECT)] == [0, 3, 3]
    assert "probe_answered" in execution.verdict.situations


@pytest.mark.parametrize(
    "ops", [(BEGIN, END), (INIT, BEGIN, END, RESET), (INIT, op("hostile", content="loop"))]
)
def test_a_device_that_does_not_serve_is_set_up(target: RealTarget, ops: tuple[Op, ...]) -> None:
    execution = run(target, *ops)
    assert but_spins(execution.verdict) == []
    seen = probed(execution)
    assert [seen.count(kind) for kind in (DRIVER_INIT, PUBLISH, COLLECT)] == [2, 1, 1]
    assert "probe_answered_after_init" in execution.verdict.situations


def test_its_requests_are_dequeued_after_its_reset(target: RealTarget) -> None:
    execution = run(target, INIT, op("hostile", content="loop"))
    seen = [kind for kind in probed(execution) if kind in (RESET_RET, POP, PUSH)]
    assert seen == [RESET_RET, POP, PUSH]


def test_what_the_scenario_has_shown_is_not_asked_again(target: RealTarget) -> None:
    for ops in ((INIT, WRITE), (INIT, BEGIN, WRITE, END), (INIT, BEGIN, END, WRITE, LOOK, RESET)):
        assert probed(run(target, *ops)) == []


def test_the_counts_of_each_queue_are_read(target: RealTarget) -> None:
    execution = run(target, INIT, WRITE, BEGIN, END, queues=2)
    if "queue_counts_read" in execution.verdict.situations:  # QEMU 7.2 or later
        assert probed(execution).count(ENABLE_READ) == 2 * 3


def test_a_broken_device_may_drop_the_requests_of_its_other_queues(target: RealTarget) -> None:
    """It ends them without a used entry."""
    ops = (INIT, op("hold"), WRITE, op("hostile", queue=1, content="loop"), op("release"))
    execution = run(target, *ops, queues=2)
    assert but_spins(execution.verdict) == []
    counts = [event for event in probe_of(execution.trace.events) if event.kind == ENABLE_READ]
    of_first = [event.value for event in counts if event.queue == 0 and event.flag >= 2]
    assert of_first in ([0, 1, 0], [])  # in use, taken, used; nothing before QEMU 7.2


def test_a_dead_device_is_found_and_replaced(target: RealTarget, rig: QemuRig) -> None:
    """A reset in a section leaves -1 requests in use: the next request breaks the device."""
    before = rig.processes
    execution = run(target, INIT, BEGIN, WRITE, RESET, INIT, END)
    found = [one.rule for one in execution.verdict.violations]
    if "S1" not in found:
        pytest.skip("this QEMU does not have the bug")
    assert "S38" in found
    assert "S38" not in [one.rule for one in execution.verdict.causes]
    assert run(target, INIT, BEGIN, END).verdict.clean
    assert rig.processes == before + 1
