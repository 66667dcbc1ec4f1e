"""virtio-scsi of a real QEMU: its commands, and the open bug in drained sections alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.conformance.inputs import fuzz_inputs
from tests.targets.qemu.binary import NEEDS_QEMU
from tests.targets.qemu.broken_rings import spared
from vblkfuzz.executor import Execution, run_scenario
from vblkfuzz.scenario.alphabet.ops import CODES
from vblkfuzz.scenario.codec import decode
from vblkfuzz.scenario.device import DeviceConfig, Ring
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qemu.rings_at_zero import QemuTarget
from vblkfuzz.targets.qemu.target import qemu_target
from vblkfuzz.trace.ending import ABORTED, ENDED_IOERR, ENDED_OK, ENDED_UNSUPP, RETRY
from vblkfuzz.trace.kinds import COLLECT, DEVICE_ID, OP, SECTOR
from vblkfuzz.trace.probe import without_probe
from vblkfuzz.trace.scsi_kinds import TMF_ENDED
from vblkfuzz.virtio.request.scsi_control import ANSWERS

pytestmark = [pytest.mark.realdevice, NEEDS_QEMU]

INIT, COLLECTS = op("init"), op("collect")
WRITE = op("publish_kick", request="out", sector=3)
AWAKE = (INIT, op("publish_kick", request="flush"), COLLECTS)
"""The first command after a reset only gets UNIT ATTENTION."""


@pytest.fixture(scope="module")
def target() -> Iterator[QemuTarget]:
    with qemu_target("virtio-scsi-pci", "processes", TargetOptions()) as target:
        yield target


def run(target: QemuTarget, *ops: Op, iothreads: int = 1, read_only: bool = False) -> Execution:
    device = DeviceConfig(iothreads=iothreads, queues=2, queue_size=16, read_only=read_only)
    return run_scenario(target, Scenario(device, ops))


def signatures(execution: Execution) -> set[str]:
    return {one.signature for one in execution.verdict.violations}


def splits(operation: Op) -> bool:
    return operation.args.get("shape") == "header_split"


def request(name: str, **more: int | str) -> tuple[Op, Op]:
    return op("publish_kick", request=name, sector=3, **more), COLLECTS


def test_each_command_on_a_disk(target: QemuTarget) -> None:
    ops = [*request("in"), *request("out", sectors=2), *request("in", shape="split")]
    for name in ("flush", "get_id", "discard", "unsupported", "write_zeroes", "in"):
        ops += request(name)
    ops += [op("publish_kick", request="in", sector=200, queue=1), op("collect", queue=1)]
    execution = run(target, INIT, *ops)
    events = without_probe(execution.trace.events)
    endings = [event.flag for event in events if event.kind == COLLECT]
    assert endings == [RETRY, *[ENDED_OK] * 5, ENDED_UNSUPP, ENDED_OK, ENDED_OK, ENDED_IOERR]
    found = [event.value for event in events if event.kind == SECTOR and not event.flag]
    assert found == [2, 0]
    assert [event.head == event.value for event in events if event.kind == DEVICE_ID] == [True]
    assert not signatures(execution)
    assert execution.scenario.device.kind == "scsi"


@pytest.mark.parametrize("iothreads", [0, 1])
@pytest.mark.parametrize(("way", "name"), [("reset", "reset"), ("stop", "vm_stop")])
def test_a_reset_or_a_stop_in_a_section_dequeues(
    target: QemuTarget, way: str, name: str, iothreads: int
) -> None:
    after = (op("drain_end"), op("cont"), COLLECTS)
    inside = (*AWAKE, op("drain_begin"), WRITE, op(way), *after)
    assert f"s1-{name}" in signatures(run(target, *inside, iothreads=iothreads))
    outside = (*AWAKE, WRITE, op(way), *after)
    assert not signatures(run(target, *outside, iothreads=iothreads))


def test_its_damage_to_the_next_driver(target: QemuTarget) -> None:
    ops = (*AWAKE, op("drain_begin"), WRITE, op("reset"), INIT, op("drain_end"), COLLECTS)
    found = {one.rule for one in run(target, *ops).verdict.violations}
    assert {"S1", "S4", "S6"} <= found


def test_a_read_only_disk_and_a_replug(target: QemuTarget) -> None:
    ops = (*AWAKE, *request("out"), op("replug"), *AWAKE, *request("in"))
    execution = run(target, *ops, read_only=True)
    events = without_probe(execution.trace.events)
    endings = [event.flag for event in events if event.kind == COLLECT]
    assert endings == [RETRY, ENDED_IOERR, RETRY, ENDED_OK]
    assert not signatures(execution)


def test_each_scenario_decides_if_the_device_does_not() -> None:
    with qemu_target("virtio-blk-pci", "processes", TargetOptions()) as both:
        for kind, first in (("blk", ENDED_OK), ("scsi", RETRY)):
            device = decode(b"").device
            scenario = Scenario(replace(device, **{"kind": kind}), (INIT, *request("in")))  # type: ignore[arg-type]
            events = without_probe(run_scenario(both, scenario).trace.events)
            assert [event.flag for event in events if event.kind == COLLECT] == [first]


def test_a_split_header_is_taken_for_data(target: QemuTarget) -> None:
    """Another bug: QEMU takes the first buffer for the whole header (docs/real-devices.md)."""
    split = request("out", shape="header_split")
    assert "s21-no_status" in signatures(run(target, *AWAKE, *split))
    assert not signatures(run(target, *AWAKE, *request("out")))


def answers(execution: Execution) -> list[str]:
    return [ANSWERS[event.flag] for event in execution.trace.events if event.kind == TMF_ENDED]


def endings_of(execution: Execution) -> list[int]:
    events = without_probe(execution.trace.events)
    return [event.flag for event in events if event.kind == COLLECT]


def tmf(function: str, **more: int) -> Op:
    return op("tmf", function=function, **more)


HELD = (*AWAKE, op("hold"), WRITE, op("publish_kick", request="in", sector=3))
LATER = (COLLECTS, op("release"), COLLECTS, WRITE, COLLECTS)


@pytest.mark.parametrize(("iothreads", "ring"), [(0, "split"), (1, "split"), (1, "packed")])
def test_an_abort_ends_one_request(target: QemuTarget, iothreads: int, ring: Ring) -> None:
    """A query finds it; the abort is complete once the disk has let it go. The other goes on."""
    ops = (*HELD, tmf("query_task"), COLLECTS, tmf("abort_task"), *LATER)
    device = DeviceConfig(iothreads=iothreads, queues=2, queue_size=16, ring=ring)
    execution = run_scenario(target, Scenario(device, ops))
    assert answers(execution) == ["succeeded", "complete"]
    assert endings_of(execution) == [RETRY, ENDED_OK, ABORTED, ENDED_OK]
    assert not signatures(execution)


@pytest.mark.parametrize(
    ("function", "next_one"),
    [("abort_task_set", ENDED_OK), ("logical_unit_reset", RETRY), ("i_t_nexus_reset", RETRY)],
)
def test_a_function_ends_all_requests(target: QemuTarget, function: str, next_one: int) -> None:
    """Without an IOThread: with one, QEMU 7.2 fails in a reset of a unit."""
    execution = run(target, *HELD, tmf(function), *LATER, iothreads=0)
    assert answers(execution) == ["complete"]
    assert endings_of(execution) == [RETRY, ABORTED, ABORTED, next_one]
    assert not signatures(execution)


@pytest.mark.parametrize("function", ["abort_task", "abort_task_set"])
def test_a_drained_section_keeps_task_management_back(target: QemuTarget, function: str) -> None:
    """No answer comes in the section; one comes after it."""
    inside = (op("drain_begin"), WRITE, tmf(function), COLLECTS)
    execution = run(target, *AWAKE, *inside, op("drain_end"), COLLECTS)
    kinds = [(event.kind, event.flag) for event in execution.trace.events]
    end = kinds.index((OP, CODES["drain_end"]))
    assert TMF_ENDED not in [kind for kind, _ in kinds[:end]]
    assert answers(execution) == ["complete"]
    assert not signatures(execution)


@pytest.mark.parametrize("function", ["logical_unit_reset", "i_t_nexus_reset"])
def test_a_reset_of_a_unit_leaves_a_parked_request(target: QemuTarget, function: str) -> None:
    """An open bug: without ioeventfd a kick in a section dequeues, and the request is parked."""
    ops = (*AWAKE, op("drain_begin"), WRITE, tmf(function), COLLECTS, op("drain_end"), COLLECTS)
    device = DeviceConfig(iothreads=0, ioeventfd=False)
    assert f"s43-{function}" in signatures(run_scenario(target, Scenario(device, ops)))
    abort = tuple(tmf("abort_task") if each.name == "tmf" else each for each in ops)
    assert not signatures(run_scenario(target, Scenario(device, abort))) - {"l6-drained"}


def test_a_function_about_nothing_is_complete(target: QemuTarget) -> None:
    ops = [part for name in ("abort_task", "query_task") for part in (tmf(name), COLLECTS)]
    execution = run(target, *AWAKE, *ops)
    assert answers(execution) == ["complete", "complete"]
    assert not signatures(execution)


def test_without_sections_nothing_is_wrong(target: QemuTarget) -> None:
    """Not with split headers: see above. Nor is QEMU 7.2 right with a reset of a unit."""
    drains = {"drain_begin", "drain_end", "mirror_begin", "mirror_finish", "start_fail", "tmf"}
    for data in fuzz_inputs(31, 30):
        made = spared(decode(data))
        ops = tuple(one for one in made.ops if one.name not in drains and not splits(one))
        execution = run_scenario(target, Scenario(replace(made.device, ring="split"), ops))
        assert not signatures(execution), execution.scenario


def test_a_write_that_is_retried_ends_with_a_wrong_residual(target: QemuTarget) -> None:
    """An open bug: what was moved is subtracted at each try (docs/real-devices.md)."""
    fails = (op("hold"), WRITE, op("complete", which="newest", result="eio"), op("release"))
    ops = (*AWAKE, *fails, op("cont"), COLLECTS)
    for werror, found in (("stop", {"s14-no_status", "s21-no_status"}), ("report", set())):
        device = DeviceConfig(queue_size=16, werror=werror)  # type: ignore[arg-type]
        assert signatures(run_scenario(target, Scenario(device, ops))) == found
