"""`restore into=new`: a saved device goes on in a new daemon, on the same disks and memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.targets.qsd.binary import NEEDS_QSD
from vblkfuzz.executor import Execution, run_scenario
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qsd.rig import QsdRig
from vblkfuzz.targets.real import RealTarget
from vblkfuzz.trace.kinds import (
    BROKEN,
    COLLECT,
    DRAIN_CALL,
    DRAIN_END,
    DRAIN_RET,
    POP,
    PUSH,
    RESTORED,
    SAVED,
    VM_CONT,
    VM_STOP_RET,
)
from vblkfuzz.trace.probe import without_probe

pytestmark = [pytest.mark.realdevice, NEEDS_QSD]

WRITE = op("publish_kick", request="out", sector=3)
READ = op("publish_kick", request="in", sector=3)
PUBLISH = op("publish", request="in", sector=3)
SAVE, SAME, NEW = op("save"), op("restore"), op("restore", into="new")
HOLD, COLLECTS, BEGIN = op("hold"), op("collect"), op("drain_begin")
THREADS = pytest.mark.parametrize("iothreads", [0, 1])


@pytest.fixture(scope="module")
def rig() -> QsdRig:
    return QsdRig(TargetOptions())


@pytest.fixture(scope="module")
def target(rig: QsdRig) -> Iterator[RealTarget]:
    with RealTarget("qsd", "vhost-user-blk", rig, rig.port) as target:
        yield target


def run(target: RealTarget, *ops: Op, iothreads: int = 1, event_idx: bool = True) -> Execution:
    device = DeviceConfig(iothreads=iothreads, event_idx=event_idx)
    return run_scenario(target, Scenario(device, (op("init"), *ops)))


def kinds(execution: Execution) -> list[int]:
    return [event.kind for event in without_probe(execution.trace.events)]


def found(execution: Execution) -> set[str]:
    """Without the main loop of QEMU 7.2 that spins in a section: that is known, and no matter."""
    return {one.signature for one in execution.verdict.violations} - {"l6-drained"}


@THREADS
@pytest.mark.parametrize("event_idx", [False, True])
def test_a_new_daemon_goes_on(
    target: RealTarget, rig: QsdRig, iothreads: int, event_idx: bool
) -> None:
    """With the data of the disk, and with a request that the driver has not kicked."""
    before = rig.processes
    ops = (WRITE, COLLECTS, PUBLISH, SAVE, NEW, COLLECTS)
    execution = run(target, *ops, iothreads=iothreads, event_idx=event_idx)
    assert rig.processes > before
    assert execution.verdict.clean
    seen = kinds(execution)
    assert seen.count(COLLECT) == 2
    if event_idx:
        assert "data_read_back" in execution.verdict.situations


def test_another_restore_keeps_the_daemon(target: RealTarget, rig: QsdRig) -> None:
    run(target, WRITE)
    before = rig.processes
    assert run(target, NEW, SAVE, SAME, NEW).verdict.clean
    assert rig.processes == before


@THREADS
@pytest.mark.parametrize("end", [("drain_end",), ()])
@pytest.mark.parametrize("begin", ["drain_begin", "mirror_begin"])
def test_its_sections_end_with_the_old_daemon(
    target: RealTarget, begin: str, end: tuple[str, ...], iothreads: int
) -> None:
    rest = [op(name) for name in end]
    execution = run(target, op(begin), BEGIN, WRITE, SAVE, NEW, *rest, iothreads=iothreads)
    assert not found(execution)
    seen = kinds(execution)
    assert seen.count(DRAIN_CALL) == seen.count(DRAIN_RET) == seen.count(DRAIN_END) == 2
    assert seen.index(SAVED) < seen.index(DRAIN_END) < seen.index(RESTORED) < seen.index(POP)


@THREADS
def test_a_section_that_has_not_begun_ends_too(target: RealTarget, iothreads: int) -> None:
    """The drain still waits for a held request when its daemon ends."""
    execution = run(target, HOLD, WRITE, BEGIN, SAVE, NEW, BEGIN, iothreads=iothreads)
    seen = kinds(execution)
    assert seen.count(DRAIN_CALL) == seen.count(DRAIN_RET) == seen.count(DRAIN_END) == 2
    assert not [name for name in found(execution) if name.startswith(("l2-", "hang-"))]


@THREADS
def test_a_request_that_was_held_dies_with_the_old_daemon(
    target: RealTarget, iothreads: int
) -> None:
    """QEMU 7.2 answers GET_VRING_BASE with a request in flight, which is lost with the daemon.

    If a back-end waits instead, the guest waits for the save until the scenario ends, and the
    request is released.
    """
    execution = run(target, HOLD, WRITE, SAVE, NEW, READ, COLLECTS, iothreads=iothreads)
    seen = kinds(execution)
    lost = seen.count(POP) > seen.count(PUSH)
    assert found(execution) == ({"l3-popped", "s34-request-popped"} if lost else set())
    assert lost or seen.index(PUSH) < seen.index(VM_STOP_RET)


def test_a_broken_device_stays_broken(target: RealTarget) -> None:
    """Until a reset, which takes a connection to the new daemon."""
    execution = run(
        target,
        *(op("hostile", content="loop"), SAVE, NEW, WRITE),
        *(op("reset"), op("init"), WRITE, COLLECTS),
    )
    assert execution.verdict.clean
    seen = kinds(execution)
    assert len(seen) - seen[::-1].index(BROKEN) > seen.index(VM_CONT)
    assert seen.count(PUSH) == 1
