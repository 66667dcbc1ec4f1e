"""Operations of a real daemon that drain for a moment: the device goes on, on the disk it had."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.targets.known_bugs import excused
from tests.targets.outcomes import but_spins
from vblkfuzz.executor import Execution, run_scenario
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qsd.target import qsd_target
from vblkfuzz.targets.real import RealTarget
from vblkfuzz.trace.kinds import BROKEN, DRAIN_END, DRAIN_RET, DRIVER_INIT, END, OP, POP, PUSH
from vblkfuzz.trace.probe import without_probe
from vblkfuzz.trace.witness import Witness

pytestmark = [pytest.mark.realdevice, pytest.mark.usefixtures("bugs")]

WRITE = op("publish_kick", request="out", sector=3)
READ = op("publish_kick", request="in", sector=3)
FAILS = op("complete", which="all", result="eio")
JOBS = [op("block_job", kind=kind) for kind in ("backup", "commit", "stream")]
DOORS = [
    *JOBS,
    *(op(name) for name in ("reopen", "snapshot", "resize")),
    *(op("throttle", limits=limits) for limits in ("set", "removed")),
]
SECTIONS = [(op("mirror_begin"), "mirror_finish"), (op("drain_begin"), "drain_end")]


@pytest.fixture(scope="module")
def target(binary: str) -> Iterator[RealTarget]:
    with qsd_target("vhost-user-blk", "processes", TargetOptions(qsd_binary=binary)) as target:
        yield target


def run(target: RealTarget, *ops: Op, iothreads: int = 1) -> Execution:
    return excused(
        run_scenario(
            target, Scenario(DeviceConfig(iothreads=iothreads, queue_size=16), (op("init"), *ops))
        )
    )


def is_held(execution: Execution, index: int) -> bool:
    """Whether nothing was pushed between operation `index` and the next one."""
    events = execution.trace.events
    place = next(n for n, one in enumerate(events) if one.kind == OP and one.value == index)
    after = next(n for n, one in enumerate(events) if one.kind == OP and one.value == index + 1)
    return not any(event.kind == PUSH for event in events[place:after])


@pytest.mark.parametrize("iothreads", [0, 1])
@pytest.mark.parametrize("door", DOORS, ids=str)
def test_the_device_goes_on_with_its_disk(target: RealTarget, door: Op, iothreads: int) -> None:
    """Data written before is read after it (S14), and the backend holds the new request."""
    ops = (WRITE, door, READ, door, op("hold"), WRITE, op("release"), op("collect"))
    execution = run(target, *ops, iothreads=iothreads)
    assert not but_spins(execution.verdict)
    assert is_held(execution, 1 + ops.index(op("hold")) + 1)
    assert execution.trace.witnesses & Witness.DISK
    assert [event.kind for event in without_probe(execution.trace.events)].count(PUSH) == 3


@pytest.mark.parametrize("ops", [(), (op("init"), READ)])
def test_a_driver_that_was_never_set_up_begins_on_a_new_connection(
    target: RealTarget, ops: tuple[Op, ...]
) -> None:
    """10.0 and 11.1 close the connection of a read-only export at a resize. That is not judged."""
    device = DeviceConfig(iothreads=0, read_only=True)
    execution = excused(run_scenario(target, Scenario(device, (op("resize", sectors=64), *ops))))
    assert not but_spins(execution.verdict)
    seen = [event.kind for event in execution.trace.events]
    assert seen.count(PUSH) == 1
    assert BROKEN not in seen[seen.index(DRIVER_INIT) :]


@pytest.mark.parametrize("iothreads", [0, 1])
@pytest.mark.parametrize("door", DOORS, ids=str)
def test_it_waits_for_a_held_request(target: RealTarget, door: Op, iothreads: int) -> None:
    """Operations after it wait, too: the section begins only after the release."""
    ops = (op("hold"), WRITE, door, op("drain_begin"), READ, op("release"), op("drain_end"))
    execution = run(target, *ops, iothreads=iothreads)
    assert not but_spins(execution.verdict)
    seen = [event.kind for event in without_probe(execution.trace.events)]
    assert seen.index(PUSH) < seen.index(DRAIN_RET) < seen.index(DRAIN_END) < seen.index(END)


@pytest.mark.parametrize("iothreads", [0, 1])
@pytest.mark.parametrize("job", JOBS, ids=str)
def test_the_guest_goes_on_beside_a_job(target: RealTarget, job: Op, iothreads: int) -> None:
    """The request of the job is held; one that the guest makes meanwhile is dequeued."""
    ops = (WRITE, op("hold"), job, READ, op("release"), op("collect"))
    execution = run(target, *ops, iothreads=iothreads)
    assert not but_spins(execution.verdict)
    events = execution.trace.events
    before = [event.kind for event in events[: _index_of(execution, op("release"))]]
    assert before.count(POP) == 2


def _index_of(execution: Execution, wanted: Op) -> int:
    events = execution.trace.events
    return next(n for n, one in enumerate(events) if one.kind == OP and one.flag == wanted.code)


@pytest.mark.parametrize("iothreads", [0, 1])
@pytest.mark.parametrize("job", JOBS, ids=str)
def test_a_job_that_fails_leaves_the_disk(target: RealTarget, job: Op, iothreads: int) -> None:
    ops = (WRITE, op("hold"), job, FAILS, FAILS, FAILS, op("release"), READ, op("hold"), WRITE)
    execution = run(target, *ops, op("release"), op("collect"), iothreads=iothreads)
    assert not but_spins(execution.verdict)
    assert is_held(execution, len(ops)), "the device is not left on an overlay"


@pytest.mark.parametrize("iothreads", [0, 1])
@pytest.mark.parametrize("door", [*DOORS, op("poll_on")], ids=str)
@pytest.mark.parametrize(("begin", "end"), SECTIONS)
def test_a_section_that_ends_by_a_cancelled_job(
    target: RealTarget, begin: Op, end: str, door: Op, iothreads: int
) -> None:
    """What was published in it is served after it; a door within the section is no end of it."""
    ops = (begin, WRITE, door, op(end, how="cancel"), READ, begin, WRITE, op(end), READ)
    execution = run(target, *ops, op("collect"), iothreads=iothreads)
    assert not but_spins(execution.verdict)
    seen = [event.kind for event in without_probe(execution.trace.events)]
    assert seen.index(POP) > seen.index(DRAIN_END)
    assert seen.count(PUSH) == 4
