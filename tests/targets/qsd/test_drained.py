"""A real storage daemon with drained sections, held requests and stopped rings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.leftovers import descendants
from tests.targets.qsd.binary import NEEDS_QSD
from vblkfuzz.executor import Execution, run_scenario
from vblkfuzz.limits import FIRST_INDICES
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Deviation, Go, Scenario
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qsd.target import qsd_target
from vblkfuzz.targets.real import RealTarget
from vblkfuzz.trace.kinds import (
    BROKEN,
    DRAIN_CALL,
    DRAIN_END,
    DRAIN_RET,
    END,
    OP,
    POP,
    PUSH,
    RESET_RET,
)
from vblkfuzz.trace.probe import without_probe

pytestmark = [pytest.mark.realdevice, NEEDS_QSD]

WRITE = op("publish_kick", request="out", sector=3)
READ = op("publish_kick", request="in")
STARTS = (DRAIN_CALL,)
OPENS = [(op("mirror_begin"), op("mirror_finish")), (op("drain_begin"), op("drain_end"))]


@pytest.fixture(scope="module")
def target() -> Iterator[RealTarget]:
    with qsd_target("vhost-user-blk", "processes", TargetOptions()) as target:
        yield target


def run(target: RealTarget, *ops: Op, iothreads: int = 1) -> Execution:
    return run_scenario(target, Scenario(DeviceConfig(iothreads=iothreads), (op("init"), *ops)))


def kinds(execution: Execution) -> list[int]:
    return [event.kind for event in without_probe(execution.trace.events)]


@pytest.mark.parametrize("iothreads", [0, 1])
@pytest.mark.parametrize(("begin", "end"), OPENS)
def test_a_kick_in_a_section_waits_and_is_served_after_it(
    target: RealTarget, begin: Op, end: Op, iothreads: int
) -> None:
    execution = run(target, begin, WRITE, end, op("collect"), iothreads=iothreads)
    assert execution.verdict.clean
    seen = kinds(execution)
    assert seen.index(POP) > seen.index(DRAIN_END)
    assert PUSH in seen
    assert "drained_kick_served_later" in execution.verdict.situations


@pytest.mark.parametrize("iothreads", [0, 1])
@pytest.mark.parametrize(("begin", "end"), OPENS)
def test_a_kick_by_message_in_a_section(
    target: RealTarget, begin: Op, end: Op, iothreads: int
) -> None:
    """QEMU 7.2 accepts it, negotiated or not, and dequeues although it is drained."""
    execution = run(target, begin, READ, op("inband_kick"), end, iothreads=iothreads)
    found = [one.signature for one in execution.verdict.violations]
    assert found in ([], ["s1-direct_kick"])
    outside = run(target, READ, op("inband_kick"), begin, end, iothreads=iothreads)
    assert outside.verdict.clean


@pytest.mark.parametrize("iothreads", [0, 1])
def test_a_drain_waits_for_a_held_request(target: RealTarget, iothreads: int) -> None:
    """The blocking kind of section: the daemon's main loop is blocked until the request ends."""
    execution = run(
        target,
        op("hold"),
        WRITE,
        op("drain_begin"),
        op("collect"),
        op("release"),
        op("drain_end"),
        iothreads=iothreads,
    )
    assert execution.verdict.clean
    seen = kinds(execution)
    places = [seen.index(kind) for kind in (DRAIN_CALL, PUSH, DRAIN_RET, DRAIN_END)]
    assert places == sorted(places)


@pytest.mark.parametrize("iothreads", [0, 1])
@pytest.mark.parametrize(("begin", "end"), OPENS)
def test_a_drain_whose_own_request_fails(
    target: RealTarget, begin: Op, end: Op, iothreads: int
) -> None:
    """The mirror job that holds a section open writes through the same backend."""
    fails = (op("hold"), begin, op("complete", which="all", result="eio"), op("release"))
    for last in ((end,), (end, begin, WRITE, end)):
        execution = run(target, *fails, *last, op("collect"), iothreads=iothreads)
        assert execution.verdict.clean
        depths = [kind in STARTS for kind in kinds(execution) if kind in (*STARTS, DRAIN_END)]
        assert depths.count(True) == depths.count(False)
    assert execution.trace.events[-1].kind == END


@pytest.mark.parametrize("iothreads", [0, 1])
@pytest.mark.parametrize("begin", [op("drain_begin"), op("hold")])
def test_a_guest_that_waits_for_the_end_of_a_section(
    target: RealTarget, begin: Op, iothreads: int
) -> None:
    """A back-end that stops after broken rings answers when its last request has ended."""
    broken = (begin, READ, op("hostile", content="loop"), op("init"), WRITE, op("collect"))
    config = DeviceConfig(iothreads=iothreads, event_idx=False, ioeventfd=False)
    trace = run_scenario(target, Scenario(config, (op("init"), *broken, op("stop")))).trace
    assert trace.events[-1].kind == END
    epilogue = [event.head for event in without_probe(trace.events) if event.kind == OP]
    assert epilogue[-2:] == [0, 1], "later operations of the scenario are carried out, too"
    assert 1 in epilogue, "the section is ended early"


@pytest.mark.parametrize("first_index", FIRST_INDICES)
@pytest.mark.parametrize("hasty", [False, True])
def test_every_dequeue_is_seen(target: RealTarget, first_index: int, hasty: bool) -> None:
    """Rings are stopped, started again, used on a new connection, and wrap around."""
    burst = (WRITE, READ, op("collect"))
    ops: tuple[Op, ...] = (op("init"), *burst * 3, op("queue_reset"), *burst, op("init"), *burst)
    ops += (op("hostile", content="loop"), op("init"), *burst, op("reset"), op("init"), *burst)
    places = [place for place, one in enumerate(ops) if one == WRITE] if hasty else []
    schedule = tuple(Deviation(place, 0, Go.NEXT) for place in places)
    config = DeviceConfig(first_index=first_index)
    execution = run_scenario(target, Scenario(config, ops, schedule))
    assert execution.verdict.clean
    requests = 2 * ops.count(WRITE)
    assert kinds(execution).count(PUSH) == requests
    assert kinds(execution).count(POP) == requests + 1, "the broken one, too"


@pytest.mark.parametrize("iothreads", [0, 1])
@pytest.mark.parametrize("event_idx", [False, True])
@pytest.mark.parametrize(
    ("ends", "names"),
    [
        (
            "reset",
            [
                *("s4-reset-popped-push", "s4-reset-push", "s4-reset-memwrite"),
                *("s24-after_reset", "s24-rings_after_reset"),
            ],
        ),
        (
            "queue_reset",
            [
                *("s6-reset-not_popped", "s6-foreign"),
                *("s24-after_reset", "s24-rings_after_reset"),
            ],
        ),
    ],
)
def test_a_stopped_ring_is_stopped(
    target: RealTarget, ends: str, names: list[str], event_idx: bool, iothreads: int
) -> None:
    """QEMU 7.2 reports a ring as stopped with a request in flight, and goes on with the request."""
    config = DeviceConfig(iothreads=iothreads, event_idx=event_idx)
    ops = (op("init"), op("hold"), READ, op(ends), op("release"))
    found = run_scenario(target, Scenario(config, ops)).verdict.violations
    assert {one.signature for one in found} <= {*names, "s6-reset-not_popped"}
    ops = (op("init"), op("hold"), READ, op("release"), op(ends))
    assert run_scenario(target, Scenario(config, ops)).verdict.clean


def test_requests_end_as_the_backend_says(target: RealTarget) -> None:
    ops = (op("hold"), WRITE, READ, op("complete", which="newest"), op("collect"), op("release"))
    events = without_probe(run(target, *ops).trace.events)
    pushes = [event.request for event in events if event.kind == PUSH]
    assert pushes == [2, 1]


def test_broken_rings_end_the_connection_and_the_next_one_works(target: RealTarget) -> None:
    ops = (op("hostile", content="loop"), op("reset"), op("init"), WRITE, op("collect"))
    execution = run(target, *ops)
    assert execution.verdict.clean
    seen = kinds(execution)
    assert BROKEN in seen
    assert PUSH in seen[seen.index(RESET_RET) :]


@pytest.mark.parametrize("sectors", [8, 128])
def test_a_disk_has_the_capacity_that_the_scenario_says(target: RealTarget, sectors: int) -> None:
    config = DeviceConfig(disk_sectors=sectors)
    ops = (op("init"), op("publish_kick", request="out", sector=sectors - 1), op("collect"))
    assert run_scenario(target, Scenario(config, ops)).verdict.clean


def test_four_queues_without_event_idx(target: RealTarget) -> None:
    config = DeviceConfig(queues=4, event_idx=False, indirect=True, ioeventfd=False)
    ops = (op("init"), *(op("publish_kick", queue=queue) for queue in range(4)))
    execution = run_scenario(target, Scenario(config, ops))
    assert execution.verdict.clean
    assert kinds(execution).count(PUSH) == 4


def test_it_says_what_it_needs() -> None:
    assert re.search("qemu-storage-daemon", NEEDS_QSD.kwargs["reason"]) or not NEEDS_QSD.args[0]


@pytest.mark.parametrize(("iothreads", "rules"), [(0, ["S1", "CRASH"]), (1, ["S1"])])
def test_a_crash_while_the_operator_waits_is_a_finding(
    target: RealTarget, iothreads: int, rules: list[str]
) -> None:
    """QEMU 7.2 fails an assertion when a write was dequeued in a section that ends by a pivot."""
    ops = (op("mirror_begin"), WRITE, op("inband_kick"), op("mirror_finish"))
    for _ in range(3):
        execution = run(target, *ops, iothreads=iothreads)
        assert [one.rule for one in execution.verdict.violations] in ([], rules)


def test_an_export_stays_in_its_iothread(target: RealTarget) -> None:
    """Without fixed-iothread, QEMU moves an export when a job ends and in block_resize (a hang)."""
    for ops in ((op("resize"),), (op("drain_begin"), op("drain_end")), (op("resize"), WRITE)):
        assert run(target, *ops).verdict.clean
    writes = 30
    before = sleeps_of_iothread()
    assert run(target, *(WRITE, op("collect")) * writes).verdict.clean
    assert sleeps_of_iothread() - before >= writes


def sleeps_of_iothread() -> int:
    """Return how often the threads of the daemon but its main one have gone to sleep so far.

    The device is at rest after each operation, so the thread that serves a write sleeps after it.
    The number of times a thread ran is no measure: on a busy machine it is interrupted and runs
    again.
    """
    (daemon,) = (one for one in descendants() if "qemu-storage" in one.name())
    tasks = Path(f"/proc/{daemon.pid}/task").iterdir()
    texts = [(task / "status").read_text() for task in tasks if task.name != str(daemon.pid)]
    counts = [re.search(r"^voluntary_ctxt_switches:\s+(\d+)", text, re.MULTILINE) for text in texts]
    return sum(int(count[1]) for count in counts if count)


@pytest.mark.parametrize("kick", ["kick", "inband_kick"])
def test_a_kick_before_driver_ok_is_not_lost(target: RealTarget, kick: str) -> None:
    """As the notifier of a VMM keeps it."""
    ops = (op("init", how="no_driver_ok"), op("publish"), op(kick), op("driver_ok"), op("collect"))
    execution = run_scenario(target, Scenario(ops=ops))
    assert execution.verdict.clean
    assert kinds(execution).count(PUSH) == 1
