"""Operations of a real QEMU that drain for a moment: the device goes on, on the disk it had."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.targets.known_bugs import QEMU, excused, on
from tests.targets.outcomes import but_spins
from tests.targets.qemu.binary import EACH_QEMU
from vblkfuzz.executor import Execution, run_scenario
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.binary import version_of
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qemu.rings_at_zero import QemuTarget
from vblkfuzz.targets.qemu.target import qemu_target
from vblkfuzz.trace.kinds import DRAIN_CALL, DRAIN_END, DRAIN_RET, KICK, POP, PUSH
from vblkfuzz.trace.probe import without_probe
from vblkfuzz.trace.witness import Witness

pytestmark = pytest.mark.realdevice

WRITE = op("publish_kick", request="out", sector=3)
READ = op("publish_kick", request="in", sector=3)
DOORS = [
    *(op("block_job", kind=kind) for kind in ("backup", "commit", "stream")),
    *(op("throttle", limits=limits) for limits in ("set", "removed")),
    *(op(name) for name in ("reopen", "snapshot")),
]
SECTIONS = [(op("mirror_begin"), "mirror_finish"), (op("drain_begin"), "drain_end")]


@pytest.fixture(scope="module", params=EACH_QEMU)
def binary(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(autouse=True)
def bugs(binary: str) -> Iterator[None]:
    with on(QEMU, version_of(binary)):
        yield


@pytest.fixture(scope="module")
def target(binary: str) -> Iterator[QemuTarget]:
    with qemu_target("virtio-blk-pci", "processes", TargetOptions(qemu_binary=binary)) as target:
        yield target


def run(target: QemuTarget, *ops: Op, config: DeviceConfig) -> Execution:
    return excused(run_scenario(target, Scenario(config, (op("init"), *ops))))


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize("iothreads", [0, 1])
@pytest.mark.parametrize("door", DOORS, ids=str)
def test_the_device_goes_on_with_its_disk(
    target: QemuTarget, door: Op, iothreads: int, read_only: bool
) -> None:
    """Data written before is read after it (S14); a stopped VM has jobs as well."""
    config = DeviceConfig(iothreads=iothreads, queue_size=16, read_only=read_only)
    ops = (WRITE, door, READ, op("stop"), door, op("cont"), READ, door, WRITE)
    execution = run(target, *ops, op("collect"), config=config)
    assert not but_spins(execution.verdict)
    assert execution.trace.witnesses & Witness.DISK
    assert [event.kind for event in without_probe(execution.trace.events)].count(PUSH) == 4


@pytest.mark.parametrize("door", DOORS, ids=str)
def test_a_saved_vm_has_none(target: QemuTarget, door: Op) -> None:
    ops = (WRITE, op("save"), door, op("restore"), door, READ, op("collect"))
    execution = run(target, *ops, config=DeviceConfig(queue_size=16))
    assert not but_spins(execution.verdict)
    assert [event.kind for event in without_probe(execution.trace.events)].count(PUSH) == 2


@pytest.mark.parametrize("iothreads", [0, 1])
@pytest.mark.parametrize("door", [*DOORS, op("poll_on")], ids=str)
@pytest.mark.parametrize(("begin", "end"), SECTIONS)
def test_a_section_that_ends_by_a_cancelled_job(
    target: QemuTarget, begin: Op, end: str, door: Op, iothreads: int
) -> None:
    """What was published in it is served after it; a door within the section is no end of it."""
    config = DeviceConfig(iothreads=iothreads, queue_size=16)
    ops = (begin, WRITE, door, op(end, how="cancel"), READ, begin, WRITE, op(end), READ)
    execution = run(target, *ops, op("collect"), config=config)
    assert not but_spins(execution.verdict)
    seen = [event.kind for event in without_probe(execution.trace.events)]
    assert seen.index(POP) > seen.index(DRAIN_END)
    assert seen.count(PUSH) == 4


@pytest.mark.parametrize("iothreads", [0, 1])
@pytest.mark.parametrize("door", DOORS, ids=str)
def test_it_waits_for_a_held_request(target: QemuTarget, door: Op, iothreads: int) -> None:
    """Then the disk is on the NBD server, and so are the requests of a job."""
    config = DeviceConfig(iothreads=iothreads, queue_size=16)
    ops = (op("hold"), WRITE, door, READ, op("release"), op("drain_begin"), WRITE, op("drain_end"))
    execution = run(target, *ops, READ, op("collect"), config=config)
    assert not but_spins(execution.verdict)
    assert [event.kind for event in execution.trace.events].count(PUSH) == 4


@pytest.mark.parametrize("iothreads", [0, 1])
@pytest.mark.parametrize("job", DOORS[:3], ids=str)
def test_a_job_that_fails_leaves_the_disk(target: QemuTarget, job: Op, iothreads: int) -> None:
    config = DeviceConfig(iothreads=iothreads, queue_size=16)
    fails = [op("complete", which="all", result="eio")] * 3
    ops = (WRITE, op("hold"), job, *fails, op("release"), READ, job, WRITE, op("collect"))
    execution = run(target, *ops, config=config)
    assert not but_spins(execution.verdict)
    assert [event.kind for event in execution.trace.events].count(PUSH) == 3


def test_a_mirror_job_that_fails_while_it_starts(target: QemuTarget) -> None:
    """QEMU 7.2 keeps its filter on the disk, and refuses the next one: that section fails.

    The next scenario finds nothing of that.
    """
    config = DeviceConfig(iothreads=0, werror="stop")
    flush = op("publish_kick", request="flush")
    fails = (op("complete", which="newest", result="eio"), op("complete", which="0", result="eio"))
    ops = (op("hold"), op("init"), flush, op("mirror_begin"), fails[0], op("drain_begin"), fails[1])
    execution = run_scenario(target, Scenario(config, ops))
    assert sections(execution) == [DRAIN_CALL, DRAIN_RET, DRAIN_END] * 2
    other = (*ops[:1], op("release"), op("drain_begin"), WRITE, fails[1], op("drain_end"))
    execution = run(target, *other, config=config)
    assert sections(execution) == [DRAIN_CALL, DRAIN_RET, KICK, DRAIN_END]


def sections(execution: Execution) -> list[int]:
    seen = {DRAIN_CALL, DRAIN_RET, DRAIN_END, KICK}
    kinds = [event.kind for event in without_probe(execution.trace.events)]
    found = [kind for kind in kinds if kind in seen]
    return found[found.index(DRAIN_CALL) :]
