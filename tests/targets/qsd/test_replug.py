"""Replug of a real storage daemon: another connection, or another export."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.targets.known_bugs import excused
from vblkfuzz.executor import Execution, run_scenario
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qsd.target import qsd_target
from vblkfuzz.targets.real import RealTarget
from vblkfuzz.trace.kinds import HANG, POP, PUSH, RESET_RET, SECTOR

pytestmark = [pytest.mark.realdevice, pytest.mark.usefixtures("bugs")]

INIT, COLLECT, HOLD = op("init"), op("collect"), op("hold")
WRITE = op("publish_kick", request="out", sector=3)
READ = op("publish_kick", request="in", sector=3)
CONNECTION, DEVICE = op("replug", part="connection"), op("replug")
PLUGS = pytest.mark.parametrize("plug", [CONNECTION, DEVICE], ids=["connection", "device"])


@pytest.fixture(scope="module")
def target(binary: str) -> Iterator[RealTarget]:
    with qsd_target("vhost-user-blk", "processes", TargetOptions(qsd_binary=binary)) as target:
        yield target


def run(target: RealTarget, *ops: Op, iothreads: int = 0) -> Execution:
    return excused(run_scenario(target, Scenario(DeviceConfig(iothreads=iothreads), ops)))


def count(execution: Execution, kind: int) -> int:
    return [event.kind for event in execution.trace.events].count(kind)


@PLUGS
def test_the_next_driver_reads_what_the_last_one_wrote(target: RealTarget, plug: Op) -> None:
    execution = run(target, INIT, WRITE, plug, INIT, READ, COLLECT)
    assert execution.verdict.clean
    assert count(execution, POP) == count(execution, PUSH) == 2
    (sector,) = [event for event in execution.trace.events if event.kind == SECTOR]
    assert sector.value == 1


@PLUGS
def test_several_in_a_row(target: RealTarget, plug: Op) -> None:
    execution = run(target, plug, plug, INIT, WRITE, plug, plug, plug, INIT, WRITE)
    assert execution.verdict.clean
    assert count(execution, PUSH) == 2
    assert count(execution, RESET_RET) == 6  # with that of the second init


@PLUGS
def test_a_request_in_flight_ends_before_the_device_is_gone(target: RealTarget, plug: Op) -> None:
    execution = run(target, INIT, HOLD, WRITE, plug, INIT, READ, COLLECT)
    assert execution.verdict.clean
    seen = [event.kind for event in execution.trace.events if event.kind in (PUSH, RESET_RET)]
    assert seen[:2] in ([PUSH, RESET_RET], [RESET_RET, RESET_RET])


def test_a_connection_within_a_section(target: RealTarget) -> None:
    ops = INIT, op("drain_begin"), WRITE, CONNECTION, INIT, READ, op("drain_end"), COLLECT
    assert run(target, *ops, iothreads=1).verdict.clean


def test_the_next_scenario_has_a_device(target: RealTarget) -> None:
    run(target, INIT, DEVICE)
    assert count(run(target, INIT, WRITE), PUSH) == 1


def test_an_export_that_cannot_be_deleted_is_a_hang(target: RealTarget) -> None:
    """QEMU 7.2, with an IOThread and a front-end; later versions delete it."""
    execution = run(target, INIT, DEVICE, iothreads=1)
    assert execution.verdict.clean or count(execution, HANG) == 1
