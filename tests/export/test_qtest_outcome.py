"""The program does what the scenario says: its driver finds what that of target `qemu` finds."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.inputs import fuzz_inputs
from tests.targets.qemu.binary import NEEDS_QEMU
from tests.targets.qemu.test_agreement import WITHOUT
from tests.waiting import WAIT_S
from vblkfuzz.executor import run_scenario
from vblkfuzz.export.qtest_file import program
from vblkfuzz.scenario.alphabet.guest import DECLINES, FUNCTIONS, REQUESTS
from vblkfuzz.scenario.alphabet.shape import SHAPES, applies
from vblkfuzz.scenario.codec import decode
from vblkfuzz.scenario.device import RINGS, DeviceConfig, Ring
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qemu.rings_at_zero import QemuTarget
from vblkfuzz.targets.qemu.target import qemu_target
from vblkfuzz.trace.kinds import COLLECT, SECTOR
from vblkfuzz.trace.probe import without_probe
from vblkfuzz.trace.sector_data import UNWRITTEN
from vblkfuzz.trace.trace import Trace

pytestmark = [pytest.mark.realdevice, NEEDS_QEMU]

ANSWER = re.compile(r"^answer queue (\d+) head (\d+) status (\d+) length (\d+)((?: \w\w)*)$", re.M)
LEFT_OUT = {*WITHOUT, "reset", "system_reset", "hostile", "start_fail", "block_job"} - {
    *("stop", "cont", "queue_reset")
}
"""Operations after which timing decides, or that the program refuses."""
STATUS = {0: 0, 2: 1, 3: 2, 5: 3, 6: 4}
"""Status byte by flag of COLLECT."""

Answers = list[tuple[tuple[int, ...], list[int]]]
"""Queue, head, status and length of each; the first byte of each sector that it read."""


@pytest.fixture(scope="module")
def qemu() -> Iterator[QemuTarget]:
    with qemu_target("virtio-blk-pci", "processes", TargetOptions()) as target:
        yield target


def expected(trace: Trace) -> Answers:
    answers: Answers = []
    for event in without_probe(trace.events):
        if event.kind == COLLECT:
            answers.append(((event.queue, event.head, STATUS[event.flag], event.length), []))
        elif event.kind == SECTOR and event.flag != UNWRITTEN:
            answers[-1][1].append(event.value)
    return sorted(answers)


def shown(scenario: Scenario, folder: Path, *, clean: bool = True) -> Answers:
    path = folder / "reproducer.py"
    path.write_text(program(scenario, ""))
    command = [sys.executable, "-I", str(path), "--transcript"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert ended.stderr == ""
    assert ended.returncode == 0 or not clean, ended.stdout[-2000:]
    return sorted(
        (tuple(map(int, found.groups()[:4])), [int(one, 16) for one in found[5].split()])
        for found in ANSWER.finditer(ended.stdout)
    )


def requests(shape: str) -> Iterator[Op]:
    """Yield a request of each type that a shape changes, between a write and a read."""
    for code, request in enumerate(REQUESTS):
        if applies(SHAPES.index(shape), code):
            yield op("publish_kick", request="out", sector=2, sectors=4)
            yield op("publish_kick", request=request, sector=3, sectors=2, shape=shape)
            yield op("collect")
            yield op("publish_kick", request="in", sector=2, sectors=4, shape=shape)
            yield op("collect")


@pytest.mark.parametrize("shape", SHAPES[1:])
def test_a_shape(shape: str, qemu: QemuTarget, tmp_path: Path) -> None:
    ops = (op("init"), *requests(shape))
    scenario = Scenario(DeviceConfig(queue_size=32, indirect=shape == "table_moved"), ops)
    answers = expected(qemu.run(scenario))
    assert answers
    assert shown(scenario, tmp_path) == answers


@pytest.mark.parametrize(("indirect", "event_idx"), [(False, True), (True, False)])
def test_packed_rings(indirect: bool, event_idx: bool, qemu: QemuTarget, tmp_path: Path) -> None:
    """In several laps, with chains of several lengths, a save, new rings and a split ring."""
    write = op("publish_kick", request="out", sector=2, sectors=4, shape="split")
    read = op("publish_kick", request="in", sector=2, sectors=4)
    served = write, op("collect"), read, op("collect")  # one at a time: their order is certain
    wishes = op("set_used_event", ahead=2), op("suppress_calls", on="yes")
    ops = [op("init"), *served, *wishes, *served]
    for move in ("save", "restore"), ("replug", "init"), ("queue_reset",), ("init",):
        ops += *map(op, move), *served
    ops += op("init", how="no_features"), *served
    config = DeviceConfig(queue_size=16, ring="packed", indirect=indirect, event_idx=event_idx)
    scenario = Scenario(config, tuple(ops))
    answers = expected(qemu.run(scenario))
    assert len(answers) == 14
    assert shown(scenario, tmp_path) == answers


@pytest.mark.parametrize("shape", ["plain", "split", "long", "unmap"])
def test_virtio_scsi(shape: str, qemu: QemuTarget, tmp_path: Path) -> None:
    """The program has statuses of SCSI, so what is compared is whether a request ended well."""
    ops = [op("init")]
    for request in REQUESTS:
        ops += op("publish_kick", request="out", sector=2, sectors=4), op("collect")
        ops += op("publish_kick", request=request, sector=3, sectors=2, shape=shape), op("collect")
        ops += op("publish_kick", queue=1, sector=2, sectors=4), op("collect", queue=1)
    scenario = Scenario(DeviceConfig(queue_size=16, queues=2, kind="scsi"), tuple(ops))
    assert well(shown(scenario, tmp_path)) == well(expected(qemu.run(scenario)))


@pytest.mark.parametrize("ring", RINGS)
def test_task_management(qemu: QemuTarget, tmp_path: Path, ring: Ring) -> None:
    """The requests are in flight inside a section only, so what a function ends is not compared."""
    ops = [op("init"), op("publish_kick", request="flush"), op("collect")]
    for function in FUNCTIONS:
        ops += op("tmf", function=function), op("collect"), op("publish_kick"), op("collect")
    device = DeviceConfig(queue_size=16, iothreads=0, kind="scsi", ring=ring)
    scenario = Scenario(device, tuple(ops))
    found = well(shown(scenario, tmp_path))
    assert found == well(expected(qemu.run(scenario)))
    assert [ended for (_, _, ended, _), _ in found].count(0) == 3


def test_a_reset_of_a_unit_that_leaves_a_parked_request(tmp_path: Path) -> None:
    """An open bug of QEMU, which the program shows; not without the section."""
    written = op("publish_kick", request="out")
    ops = [op("init"), op("publish_kick", request="flush"), op("collect"), op("drain_begin")]
    ops += written, op("tmf", function="logical_unit_reset"), op("collect"), op("drain_end")
    device = DeviceConfig(kind="scsi", iothreads=0, ioeventfd=False)
    path = tmp_path / "reproducer.py"
    path.write_text(program(Scenario(device, tuple(ops)), ""))
    for options, status in (([], 1), (["--without-drains"], 0)):
        command = [sys.executable, "-I", str(path), *options]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False)
        assert ended.returncode == status
        assert ("was still under way when logical_unit_reset" in ended.stdout) == bool(status)


def well(answers: Answers) -> Answers:
    """Return answers with whether a request ended well in place of its status."""
    return sorted(
        ((queue, head, not status, length), sectors)
        for (queue, head, status, length), sectors in answers
    )


@pytest.mark.parametrize("shape", ["tiny", "long"])
def test_a_request_that_does_not_fit(shape: str, qemu: QemuTarget, tmp_path: Path) -> None:
    """The ring is too short for one, and too full for the second of the other."""
    one = op("publish", request="out", sectors=4, shape=shape)
    ops = (op("init"), one, one, op("publish_kick", shape="tiny"), op("collect"))
    scenario = Scenario(DeviceConfig(queue_size=4 if shape == "tiny" else 8), ops)
    assert shown(scenario, tmp_path) == expected(qemu.run(scenario))


@pytest.mark.parametrize("decline", DECLINES)
def test_a_declined_feature(decline: str, qemu: QemuTarget, tmp_path: Path) -> None:
    """Without F_MQ the requests of queue 1 go to queue 0, without RING_RESET none is reset."""
    write = op("publish_kick", request="out", queue=1, sector=3)
    read = op("publish_kick", queue=1, sector=3)
    again = op("queue_reset", queue=1)
    looks = op("collect"), op("collect", queue=1)
    ops = (op("init", decline=decline), write, again, read, *looks, read, *looks)
    scenario = Scenario(DeviceConfig(queues=2, indirect=True), ops)
    answers = expected(qemu.run(scenario))
    assert answers
    assert shown(scenario, tmp_path) == answers


@pytest.mark.parametrize("how", ["no_driver_ok", "no_features"])
def test_a_set_up_that_leaves_something_out(how: str, qemu: QemuTarget, tmp_path: Path) -> None:
    ops = (op("init", how=how), op("publish_kick"), op("driver_ok"), op("kick"), op("collect"))
    scenario = Scenario(DeviceConfig(event_idx=False), ops)
    assert shown(scenario, tmp_path) == expected(qemu.run(scenario))


@pytest.mark.parametrize("decline", ["nothing", "config_wce"])
def test_the_cache_mode(decline: str, qemu: QemuTarget, tmp_path: Path) -> None:
    """The program says nothing is wrong, so it has read back what it has written."""
    write = op("publish_kick", request="out", sector=3)
    modes = [op("writeback", mode=mode) for mode in ("writethrough", "writeback")]
    scenario = Scenario(ops=(op("init", decline=decline), *modes, write, modes[0], write))
    assert shown(scenario, tmp_path) == expected(qemu.run(scenario))


@pytest.mark.parametrize("section", ["drain", "mirror"])
def test_a_read_only_disk(section: str, qemu: QemuTarget, tmp_path: Path) -> None:
    begin, end = {
        "drain": ("drain_begin", "drain_end"),
        "mirror": ("mirror_begin", "mirror_finish"),
    }[section]
    write, read = op("publish_kick", request="out"), op("publish_kick", sector=3)
    ops = (op("init"), write, read, op("collect"), op(begin), write, op(end), write, read)
    scenario = Scenario(DeviceConfig(queue_size=16, disk_sectors=8, read_only=True), ops)
    answers = expected(qemu.run(scenario))
    assert {status for (_, _, status, _), _ in answers} == {0, 1}
    assert shown(scenario, tmp_path) == answers


# Where an IOThread polls, timing decides when it ends a request that was not kicked.
STEADY = [data for data in fuzz_inputs(43, 40) if not decode(data).device.polling][:12]


@pytest.mark.parametrize("data", STEADY, ids=map(str, range(12)))
def test_other_scenarios(data: bytes, qemu: QemuTarget, tmp_path: Path) -> None:
    made = decode(data)
    ops = tuple(one for one in made.ops if one.name not in LEFT_OUT)
    looks = tuple(op("collect", queue=queue) for queue in range(made.device.queues))
    ran = run_scenario(qemu, Scenario(made.device, ops + looks))
    assert shown(ran.scenario, tmp_path, clean=ran.verdict.clean) == expected(ran.trace)
