"""Queues of a real QEMU over several IOThreads, each version that has them; the others say so."""

from __future__ import annotations

import pytest

from tests.gate.program import NEEDS_GATE
from vblkfuzz.executor import Execution, run_scenario
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Deviation, Go, Role, Scenario
from vblkfuzz.targets.as_run import as_run
from vblkfuzz.targets.qemu.iothreads import actor_of, iothread_options, most_iothreads
from vblkfuzz.targets.qemu.rings_at_zero import QemuTarget
from vblkfuzz.trace.event import ActorId
from vblkfuzz.trace.kinds import POP
from vblkfuzz.trace.probe import without_probe
from vblkfuzz.trace.schedule_kinds import HELD

pytestmark = pytest.mark.realdevice

INIT, RESET = op("init"), op("reset")
QUEUES = range(4)


@pytest.fixture
def several(each_qemu: QemuTarget) -> QemuTarget:
    if each_qemu.most_iothreads("blk") == 1:
        pytest.skip("QEMU before 9.0 has no iothread-vq-mapping")
    return each_qemu


def on_each_queue() -> list[Op]:
    return [op("publish_kick", queue=queue, request="out", sector=queue) for queue in QUEUES]


def collected() -> list[Op]:
    return [op("collect", queue=queue) for queue in QUEUES]


def run(target: QemuTarget, *ops: Op, iothreads: int = 2, serial: bool = False) -> Execution:
    device = DeviceConfig(queues=4, iothreads=iothreads)
    schedule = (Deviation(2, 0, Go.NEXT, role=Role.IO1),) if serial else ()
    return run_scenario(target, Scenario(device, (INIT, *ops), schedule))


def poppers(execution: Execution) -> list[ActorId]:
    events = without_probe(execution.trace.events)
    return [ActorId(event.actor) for event in events if event.kind == POP]


def signatures(execution: Execution) -> set[str]:
    return {one.signature for one in execution.verdict.violations}


def test_queues_take_turns(several: QemuTarget) -> None:
    execution = run(several, *on_each_queue(), *collected())
    assert execution.scenario.device.iothreads == 2
    assert not signatures(execution)
    assert poppers(execution) == [ActorId.IO0, ActorId.IO1] * 2


def test_one_that_cannot_runs_on_one_iothread(each_qemu: QemuTarget) -> None:
    most = each_qemu.most_iothreads("blk")
    ran = as_run(each_qemu, Scenario(DeviceConfig(iothreads=2)))
    assert ran.device.iothreads == min(most, 2)
    if most == 1:
        assert set(poppers(run(each_qemu, *on_each_queue(), *collected()))) == {ActorId.IO0}


def test_a_reset_in_a_section_dequeues_from_all_queues(several: QemuTarget) -> None:
    inside = run(several, op("drain_begin"), *on_each_queue(), RESET, op("drain_end"))
    assert "s1-reset" in signatures(inside)
    assert len(poppers(inside)) == len(QUEUES)
    assert not signatures(run(several, *on_each_queue(), RESET))


def test_they_poll_move_and_are_plugged_again(several: QemuTarget) -> None:
    served = (*on_each_queue(), *collected())
    polls = (op("poll_on", iothread=0), op("poll_on", iothread=1), *served)
    again = (op("stop"), op("save"), op("restore"), *served, op("replug"), INIT, *served)
    execution = run(several, *polls, op("poll_off", iothread=1), *again)
    assert not signatures(execution)
    assert len(poppers(execution)) == 3 * len(QUEUES)


@NEEDS_GATE
def test_a_schedule_holds_the_second_one(several: QemuTarget) -> None:
    execution = run(several, *on_each_queue(), *collected(), serial=True)
    held = [event.actor for event in execution.trace.events if event.kind == HELD]
    assert held == [ActorId.IO1]
    assert sorted(poppers(execution)) == [ActorId.IO0, ActorId.IO0, ActorId.IO1, ActorId.IO1]
    assert not signatures(execution)


@pytest.mark.parametrize(
    ("version", "blk", "scsi"),
    [("7.2.22", 1, 1), ("9.0.0", 2, 1), ("9.2.1", 2, 1), ("10.0.13", 2, 2), ("", 1, 1)],
)
def test_versions(version: str, blk: int, scsi: int) -> None:
    assert (most_iothreads(version, "blk"), most_iothreads(version, "scsi")) == (blk, scsi)


def test_none_and_one() -> None:
    assert actor_of(0, 3) == ActorId.MAIN
    assert actor_of(1, 3) == ActorId.IO0
    assert len(list(iothread_options(2))) == 2
