"""Save and restore of a real storage daemon: the next connection goes on with the queues."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.targets.qsd.binary import NEEDS_QSD
from vblkfuzz.executor import Execution, run_scenario
from vblkfuzz.limits import FIRST_INDICES
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qsd.target import qsd_target
from vblkfuzz.targets.real import RealTarget
from vblkfuzz.trace.kinds import (
    CALLED,
    COLLECT,
    DRAIN_CALL,
    DRAIN_END,
    OP,
    POP,
    PUSH,
    RESTORED,
    VM_CONT,
    VM_STOP_RET,
)
from vblkfuzz.trace.probe import without_probe

pytestmark = [pytest.mark.realdevice, NEEDS_QSD]

WRITE = op("publish_kick", request="out", sector=3)
READ = op("publish_kick", request="in", sector=3)
PUBLISH = op("publish", request="in", sector=3)
SAVE, RESTORE, COLLECTS = op("save"), op("restore"), op("collect")
RELEASE = op("release")
DEVICE = DeviceConfig()


@pytest.fixture(scope="module")
def target() -> Iterator[RealTarget]:
    with qsd_target("vhost-user-blk", "processes", TargetOptions()) as target:
        yield target


def run(target: RealTarget, *ops: Op, device: DeviceConfig = DEVICE) -> Execution:
    return run_scenario(target, Scenario(device, (op("init"), *ops)))


def kinds(execution: Execution) -> list[int]:
    return [event.kind for event in without_probe(execution.trace.events)]


def found(execution: Execution) -> list[str]:
    return [one.signature for one in execution.verdict.violations]


@pytest.mark.parametrize("first_index", FIRST_INDICES)
@pytest.mark.parametrize("iothreads", [0, 1])
def test_data_is_read_back_after_a_restore(
    target: RealTarget, iothreads: int, first_index: int
) -> None:
    ops = (WRITE, COLLECTS, SAVE, RESTORE, READ, COLLECTS)
    execution = run(target, *ops, device=DeviceConfig(iothreads=iothreads, first_index=first_index))
    assert execution.verdict.clean
    assert "data_read_back" in execution.verdict.situations
    assert kinds(execution).count(COLLECT) == 2


@pytest.mark.parametrize("event_idx", [False, True])
def test_each_queue_is_looked_at_without_a_kick(target: RealTarget, event_idx: bool) -> None:
    """The driver has published and not kicked yet."""
    execution = run(
        target, WRITE, PUBLISH, SAVE, RESTORE, COLLECTS, device=DeviceConfig(event_idx=event_idx)
    )
    assert execution.verdict.clean
    seen = kinds(execution)
    assert seen.count(COLLECT) == 2
    assert len(seen) - seen[::-1].index(PUSH) > seen.index(VM_CONT)


def test_a_call_that_the_guest_has_not_taken_arrives(target: RealTarget) -> None:
    execution = run(target, WRITE, SAVE, RESTORE, COLLECTS)
    first = next(event for event in without_probe(execution.trace.events) if event.kind == CALLED)
    assert first.flag == 1
    assert execution.verdict.clean


def test_a_saved_guest_waits(target: RealTarget) -> None:
    execution = run(target, SAVE, WRITE, op("reset"), RESTORE)
    assert execution.verdict.clean
    seen = kinds(execution)
    assert seen.index(POP) > seen.index(VM_CONT)


def test_what_is_saved_at_the_end_is_restored(target: RealTarget) -> None:
    execution = run(target, WRITE, SAVE)
    assert execution.verdict.clean
    events = without_probe(execution.trace.events)
    added = [event.value for event in events if event.kind == OP and event.head]
    assert len(added) == 2  # restore, and the last collect
    assert kinds(execution).count(COLLECT) == 1


@pytest.mark.parametrize("iothreads", [0, 1])
@pytest.mark.parametrize(
    ("begin", "end"), [("drain_begin", "drain_end"), ("mirror_begin", "mirror_finish")]
)
def test_a_save_and_a_restore_in_a_section(
    target: RealTarget, begin: str, end: str, iothreads: int
) -> None:
    """What was kicked in the section is served after it, by the next connection."""
    execution = run(
        target, op(begin), WRITE, SAVE, RESTORE, op(end), device=DeviceConfig(iothreads=iothreads)
    )
    assert execution.verdict.clean
    seen = kinds(execution)
    assert seen.index(POP) > seen.index(DRAIN_END) > seen.index(RESTORED)


@pytest.mark.parametrize("iothreads", [0, 1])
def test_a_section_that_ends_while_saved(target: RealTarget, iothreads: int) -> None:
    ops = (op("drain_begin"), WRITE, SAVE, op("drain_end"), RESTORE, COLLECTS)
    execution = run(target, *ops, device=DeviceConfig(iothreads=iothreads))
    assert execution.verdict.clean
    seen = kinds(execution)
    assert seen.index(POP) > seen.index(RESTORED) > seen.index(DRAIN_END)


@pytest.mark.parametrize("event_idx", [False, True])
@pytest.mark.parametrize("iothreads", [0, 1])
@pytest.mark.parametrize("then", [(RELEASE, RESTORE), (RESTORE, RELEASE), ()])
def test_a_save_with_a_request_in_flight(
    target: RealTarget, then: tuple[Op, ...], iothreads: int, event_idx: bool
) -> None:
    """QEMU 7.2 answers GET_VRING_BASE at once, and pushes the request later: one bug, one name.

    A back-end that waits delays the answer: the request ends before the VM has stopped.
    """
    ops = (op("hold"), WRITE, SAVE, *then, COLLECTS)
    execution = run(target, *ops, device=DeviceConfig(iothreads=iothreads, event_idx=event_idx))
    seen = kinds(execution)
    assert seen.count(PUSH) == seen.count(COLLECT) == 1
    late = seen.index(PUSH) > seen.index(VM_STOP_RET)
    assert found(execution) == ["s17-vm_stop-push"] * late
    assert seen.index(POP) < seen.index(VM_STOP_RET)


@pytest.mark.parametrize("iothreads", [0, 1])
def test_a_save_with_two_requests_in_flight(target: RealTarget, iothreads: int) -> None:
    """The second is lost in QEMU (7.2, 10.0, 11.1): the call for the first breaks the device."""
    ops = (op("hold"), WRITE, READ, SAVE, RESTORE, COLLECTS)
    execution = run(target, *ops, device=DeviceConfig(iothreads=iothreads))
    seen = kinds(execution)
    names = found(execution)
    lost = seen.count(POP) > seen.count(PUSH)
    assert lost == ("l3-popped" in names) == ("s34-request-popped" in names)
    late = seen.index(PUSH) > seen.index(VM_STOP_RET)
    assert [one.signature for one in execution.verdict.causes] == ["s17-vm_stop-push"] * late


def test_the_disk_of_a_saved_vm_is_not_resized(target: RealTarget) -> None:
    execution = run(target, SAVE, op("resize", sectors=9), RESTORE, WRITE, COLLECTS)
    assert execution.verdict.clean
    assert DRAIN_CALL not in kinds(execution)


def test_a_broken_device_stays_broken(target: RealTarget) -> None:
    """Only a reset ends that, also after a restore."""
    execution = run(
        target,
        *(op("hostile", content="loop"), SAVE, RESTORE, WRITE),
        *(op("reset"), op("init"), WRITE, COLLECTS),
    )
    assert execution.verdict.clean
    assert kinds(execution).count(PUSH) == 1
