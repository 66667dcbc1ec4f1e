"""Real QEMU and drained sections: the open bug shows in one, and nothing without one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.inputs import fuzz_inputs
from tests.targets.outcomes import but_spins
from tests.targets.qemu.binary import NEEDS_QEMU
from tests.targets.qemu.broken_rings import spared
from vblkfuzz.executor import run_scenario
from vblkfuzz.scenario.codec import decode
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qemu.rings_at_zero import QemuTarget
from vblkfuzz.targets.qemu.target import qemu_target
from vblkfuzz.trace.kinds import DRAIN_END, POP, PUSH
from vblkfuzz.trace.probe import without_probe

pytestmark = [pytest.mark.realdevice, NEEDS_QEMU]

WRITE = op("publish_kick", request="out", sector=3)
OPENS = [(op("mirror_begin"), op("mirror_finish")), (op("drain_begin"), op("drain_end"))]


@pytest.fixture(scope="module")
def target() -> Iterator[QemuTarget]:
    with qemu_target("virtio-blk-pci", "processes", TargetOptions()) as target:
        yield target


def rules(target: QemuTarget, *ops: Op, iothreads: int = 1) -> set[str]:
    scenario = Scenario(DeviceConfig(iothreads=iothreads), ops)
    return {one.rule for one in run_scenario(target, scenario).verdict.violations}


@pytest.mark.parametrize("iothreads", [0, 1])
@pytest.mark.parametrize(("begin", "end"), OPENS)
def test_a_kick_in_a_section_waits_and_is_served_after_it(
    target: QemuTarget, begin: Op, end: Op, iothreads: int
) -> None:
    ops = (op("init"), begin, WRITE, end, op("collect"))
    scenario = Scenario(DeviceConfig(iothreads=iothreads), ops)
    execution = run_scenario(target, scenario)
    assert but_spins(execution.verdict) == []
    kinds = [event.kind for event in without_probe(execution.trace.events)]
    assert kinds.index(POP) > kinds.index(DRAIN_END)
    assert PUSH in kinds
    assert "drained_kick_served_later" in execution.verdict.situations


@pytest.mark.parametrize("iothreads", [0, 1])
@pytest.mark.parametrize(("begin", "end"), OPENS)
def test_a_reset_in_a_section(target: QemuTarget, begin: Op, end: Op, iothreads: int) -> None:
    """The open bug: the request is dequeued, and written into guest memory after the reset."""
    found = rules(target, op("init"), begin, WRITE, op("reset"), end, iothreads=iothreads)
    assert "S1" in found
    assert not rules(target, op("init"), WRITE, op("reset"), iothreads=iothreads)


def test_its_damage_to_the_next_driver(target: QemuTarget) -> None:
    begin, end = OPENS[0]
    ops = (op("init"), begin, WRITE, op("reset"), op("init"), end, op("collect"))
    assert {"S1", "S6"} <= rules(target, *ops)


def test_a_stop_in_a_section(target: QemuTarget) -> None:
    begin, end = OPENS[0]
    assert "S1" in rules(target, op("init"), begin, WRITE, op("stop"), end, op("cont"))


def test_a_reset_that_waits_for_cont_is_a_reset(target: QemuTarget) -> None:
    begin, end = OPENS[0]
    ops = (op("init"), begin, op("stop"), WRITE, op("reset"), op("cont"), end)
    verdict = run_scenario(target, Scenario(DeviceConfig(), ops)).verdict
    assert verdict.violations[0].signature == "s1-reset"


def test_without_sections_nothing_is_wrong(target: QemuTarget) -> None:
    """200 scenarios of all other operations, with and without settling in between.

    QEMU 7.2 aborts after a failed start.
    """
    drains = {"drain_begin", "drain_end", "mirror_begin", "mirror_finish", "start_fail"}
    for data in fuzz_inputs(31, 200):
        made = spared(decode(data))
        ops = tuple(one for one in made.ops if one.name not in drains)
        scenario = Scenario(made.device, ops, made.schedule)
        found = run_scenario(target, scenario).verdict.violations
        assert not found, (scenario, found)
