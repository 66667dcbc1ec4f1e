"""F_IN_ORDER on a real QEMU, each version that has it; on the others it has no effect."""

from __future__ import annotations

import pytest

from vblkfuzz.executor import Execution, run_scenario
from vblkfuzz.scenario.device import RINGS, DeviceConfig, Ring
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.as_run import as_run
from vblkfuzz.targets.qemu.release import has_in_order
from vblkfuzz.targets.qemu.rings_at_zero import QemuTarget
from vblkfuzz.trace.kinds import COLLECT, DRIVER_INIT, POP, PUSH
from vblkfuzz.trace.probe import without_probe

pytestmark = pytest.mark.realdevice

OUT, COLLECTS = op("publish_kick", request="out"), op("collect")
NEWEST_FIRST = op("init"), op("hold"), OUT, OUT, op("complete", which="newest")
FAILS = op("complete", which="0", result="eio"), op("release")


@pytest.fixture
def ordered(each_qemu: QemuTarget) -> QemuTarget:
    if each_qemu.in_order is False:
        pytest.skip("QEMU before 10.0 has no in_order")
    return each_qemu


def run(target: QemuTarget, *ops: Op, ring: Ring = "split", in_order: bool = True) -> Execution:
    device = DeviceConfig(ring=ring, in_order=in_order, werror="stop", queue_size=16)
    return run_scenario(target, Scenario(device, ops))


def heads(execution: Execution, kind: int) -> list[int]:
    return [each.head for each in without_probe(execution.trace.events) if each.kind == kind]


def signatures(execution: Execution) -> set[str]:
    return {each.signature for each in execution.verdict.violations}


@pytest.mark.parametrize(
    ("version", "expected"),
    [("7.2.22", False), ("9.1", False), ("10.0.13", True), ("11.1.3", True), ("mine", False)],
)
def test_the_release_decides(version: str, expected: bool) -> None:
    assert has_in_order(version) == expected


def test_a_qemu_without_it_runs_without(each_qemu: QemuTarget) -> None:
    ran = as_run(each_qemu, Scenario(DeviceConfig(in_order=True)))
    assert ran.device.in_order == (each_qemu.in_order is None)


@pytest.mark.parametrize("ring", RINGS)
def test_one_that_ends_early_waits(ordered: QemuTarget, ring: Ring) -> None:
    execution = run(ordered, *NEWEST_FIRST, COLLECTS, op("release"), COLLECTS, ring=ring)
    events = execution.trace.events
    assert any(each.kind == DRIVER_INIT and each.flag and each.value for each in events)
    popped = heads(execution, POP)
    assert popped == heads(execution, PUSH) == heads(execution, COLLECT)
    assert len(popped) == 2
    assert execution.verdict.clean


@pytest.mark.parametrize("ring", RINGS)
def test_what_waits_is_used_after_a_reset(ordered: QemuTarget, ring: Ring) -> None:
    """A bug of QEMU: a reset of the device leaves `used_elems` as they are."""
    ops = *NEWEST_FIRST, *FAILS, op("system_reset"), op("cont"), op("init"), OUT, COLLECTS
    assert "s6-foreign" in signatures(run(ordered, *ops, ring=ring))
    assert run(ordered, *ops, ring=ring, in_order=False).verdict.clean


def test_what_waits_is_lost_by_a_save(ordered: QemuTarget) -> None:
    """A bug of QEMU: `used_elems` are not saved, so the queue never returns a request again."""
    ops = *NEWEST_FIRST, *FAILS, op("save"), op("restore"), COLLECTS
    assert {"l3-popped", "s34-request-popped"} <= signatures(run(ordered, *ops))
    assert run(ordered, *ops, in_order=False).verdict.clean
