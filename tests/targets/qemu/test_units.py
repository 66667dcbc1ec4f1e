"""virtio-scsi with several units on a real QEMU: their disks, and sections that drain one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.targets.qemu.binary import NEEDS_QEMU
from tests.targets.qemu.test_scsi import answers, endings_of, signatures
from vblkfuzz.executor import Execution, run_scenario
from vblkfuzz.scenario.device import DeviceConfig, Ring
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qemu.rings_at_zero import QemuTarget
from vblkfuzz.targets.qemu.target import qemu_target
from vblkfuzz.trace.ending import ABORTED, ENDED_OK, RETRY
from vblkfuzz.trace.kinds import DRAIN_END, POP, SECTOR
from vblkfuzz.trace.probe import without_probe
from vblkfuzz.trace.scsi_kinds import SCSI_EVENT
from vblkfuzz.virtio.request.scsi_event import KINDS

pytestmark = [pytest.mark.realdevice, NEEDS_QEMU]

COLLECTS = op("collect")


@pytest.fixture(scope="module")
def target() -> Iterator[QemuTarget]:
    with qemu_target("virtio-scsi-pci", "processes", TargetOptions()) as target:
        yield target


def request(name: str, sector: int, sectors: int = 1) -> Op:
    return op("publish_kick", request=name, sector=sector, sectors=sectors)


AWAKE = (op("init"), *[request("flush", unit) for unit in range(3)], COLLECTS)
"""Each unit tells once that it was reset."""


def run(target: QemuTarget, *ops: Op, iothreads: int = 1, units: int = 3) -> Execution:
    device = DeviceConfig(queue_size=16, iothreads=iothreads, units=units)
    return run_scenario(target, Scenario(device, (*AWAKE, *ops)))


def test_what_is_written_on_a_unit_is_on_its_disk_alone(target: QemuTarget) -> None:
    reads = [request("in", sector) for sector in (3, 4, 5)]
    execution = run(target, request("out", 3, 3), COLLECTS, request("in", 3, 3), *reads, COLLECTS)
    events = without_probe(execution.trace.events)
    found = [(event.head, event.value) for event in events if event.kind == SECTOR]
    assert found == [(3, 4), (4, 4), (5, 4), (3, 4), (4, 0), (5, 0)]
    assert endings_of(execution) == [RETRY] * 3 + [ENDED_OK] * 5
    assert not signatures(execution)


@pytest.mark.parametrize("iothreads", [0, 1])
def test_a_section_of_one_unit_keeps_the_device_from_all_queues(
    target: QemuTarget, iothreads: int
) -> None:
    """Until the last of the sections ends, in whatever order they do."""
    begins = (op("drain_begin"), op("mirror_begin"))
    ends = (op("drain_end"), op("mirror_finish"))
    inside = [request("in", unit) for unit in range(3)]
    execution = run(target, *begins, *inside, *ends, COLLECTS, iothreads=iothreads)
    events = without_probe(execution.trace.events)
    last = [at for at, event in enumerate(events) if event.kind == DRAIN_END][-1]
    first = [at for at, event in enumerate(events) if event.kind == POP][3]
    assert first > last
    assert endings_of(execution) == [RETRY] * 3 + [ENDED_OK] * 3
    assert signatures(execution) <= {"l6-drained"}


def test_a_reset_in_a_section_dequeues_for_a_unit_that_is_not_drained(target: QemuTarget) -> None:
    inside = (op("drain_begin"), request("out", 1), op("reset"), op("drain_end"))
    assert "s1-reset" in signatures(run(target, *inside))


def test_units_move_to_their_other_disks_and_keep_their_data(target: QemuTarget) -> None:
    """By a mirror job, then over a migration, and behind a new device."""
    writes = (request("out", 1), request("out", 3), COLLECTS)
    moves = (op("drain_begin"), op("mirror_begin"), op("mirror_finish"), op("drain_end"))
    reads = (request("in", 1), request("in", 3), COLLECTS)
    again = (op("replug"), *AWAKE, *reads)
    execution = run(target, *writes, *moves, op("save"), op("restore"), *reads, *again)
    events = without_probe(execution.trace.events)
    assert [event.value for event in events if event.kind == SECTOR] == [4, 5] * 2
    assert not signatures(execution)


def test_a_function_about_a_unit_leaves_the_others_alone(target: QemuTarget) -> None:
    held = (op("hold"), request("out", 0), request("out", 1))
    ends = op("tmf", function="abort_task_set", request=1)
    execution = run(target, *held, ends, COLLECTS, op("release"), COLLECTS, iothreads=0)
    assert answers(execution) == ["complete"]
    assert sorted(endings_of(execution)) == sorted([RETRY] * 3 + [ENDED_OK, ABORTED])
    assert not signatures(execution)


def test_a_kick_before_driver_ok_in_a_section_is_none_of_a_handler(target: QemuTarget) -> None:
    """From QEMU 10.0 on the vCPU reads the queue then; there is no notifier to detach."""
    ops = (op("init", how="no_driver_ok"), op("drain_begin"), request("in", 0), op("driver_ok"))
    execution = run_scenario(target, Scenario(DeviceConfig(), (*ops, op("drain_end"))))
    assert not signatures(execution)


@pytest.mark.parametrize("ring", ["split", "packed"])
def test_a_resize_is_told_or_said_to_be_missed(target: QemuTarget, ring: Ring) -> None:
    """Three at once have two buffers; also while another unit is drained."""
    sizes = [op("resize", sectors=sectors) for sectors in (8, 16, 64)]
    section = (op("drain_begin"), op("mirror_begin"), op("drain_end"), sizes[0], COLLECTS)
    ops = (*AWAKE, *sizes, COLLECTS, COLLECTS, *section, op("mirror_finish"), COLLECTS)
    device = DeviceConfig(queue_size=16, units=2, ring=ring)
    execution = run_scenario(target, Scenario(device, ops))
    events = without_probe(execution.trace.events)
    found = [(KINDS[one.flag], one.head, one.length) for one in events if one.kind == SCSI_EVENT]
    assert found == [("change", 0, 0), ("change", 0, 0), ("no event", 0, 1), ("change", 0, 0)]
    assert not signatures(execution)


def test_what_tells_nothing(target: QemuTarget) -> None:
    ops = (op("block_job", kind="commit"), op("snapshot"), op("reopen"), op("replug"), *AWAKE)
    execution = run(target, *ops, COLLECTS)
    assert not [one for one in execution.trace.events if one.kind == SCSI_EVENT]
    assert not signatures(execution)
