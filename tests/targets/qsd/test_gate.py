"""Threads of a real storage daemon that a schedule interrupts at their system calls."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.conformance.leftovers import nothing_left
from tests.gate.program import NEEDS_GATE
from tests.targets.known_bugs import excused
from vblkfuzz.executor import Execution, run_scenario
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.place import Place
from vblkfuzz.scenario.scenario import Deviation, Go, Role, Scenario
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.qsd.rig import QsdRig
from vblkfuzz.targets.qsd.target import qsd_target
from vblkfuzz.targets.real import RealTarget
from vblkfuzz.trace.event import ActorId
from vblkfuzz.trace.kinds import OP, POP
from vblkfuzz.trace.schedule_kinds import GOES_ON, HELD

pytestmark = [pytest.mark.realdevice, pytest.mark.usefixtures("bugs"), NEEDS_GATE]

WRITE, READ = op("publish_kick", request="out"), op("publish_kick", request="in")
KICK = Place("eventfd_read")
"""Where a thread is about to read the kick of a queue."""


@pytest.fixture(scope="module")
def target(binary: str) -> Iterator[RealTarget]:
    with qsd_target("vhost-user-blk", "processes", TargetOptions(qsd_binary=binary)) as target:
        yield target


def run(target: RealTarget, *schedule: Deviation, iothreads: int = 1) -> Execution:
    config = DeviceConfig(iothreads=iothreads)
    return run_scenario(target, Scenario(config, (op("init"), WRITE, READ), schedule=schedule))


def held_in(execution: Execution) -> list[tuple[int, int]]:
    """Return the operation, and the kind, of each event of the schedule and each dequeue."""
    found, number = [], -1
    for event in execution.trace.events:
        if event.kind == OP:
            number = event.value
        elif event.kind in (HELD, GOES_ON, POP):
            found.append((number, event.kind))
    return found


@pytest.mark.parametrize("iothreads", [0, 1])
def test_a_thread_is_held_before_it_reads_a_kick(target: RealTarget, iothreads: int) -> None:
    role, other = (Role.IO0, Go.MAIN) if iothreads else (Role.MAIN, Go.IO0)
    first = run(target, Deviation(1, 0, other, role=role), iothreads=iothreads)
    assert first.verdict.clean
    assert held_in(first) == [(1, HELD), (1, GOES_ON), (1, POP), (2, POP)]
    assert first.trace.places == (KICK,)
    (actor,) = {event.actor for event in first.trace.events if event.kind == HELD}
    assert actor == (ActorId.IO0 if iothreads else ActorId.MAIN)
    over = run(target, Deviation(1, 0, Go.NEXT, role=role), iothreads=iothreads)
    assert over.verdict.clean
    assert held_in(over) == [(1, HELD), (2, GOES_ON), (2, POP), (2, POP)]


def test_a_place_is_found_again(target: RealTarget) -> None:
    found = [run(target, Deviation(1, 9, Go.MAIN, role=Role.IO0, place=KICK)) for _ in range(20)]
    assert {execution.trace.places for execution in found} == {(KICK,)}
    assert {tuple(held_in(execution)) for execution in found} == {
        ((1, HELD), (1, GOES_ON), (1, POP), (2, POP))
    }


def test_a_section_is_passed_one_thread_at_a_time(binary: str) -> None:
    window = (op("init"), op("drain_begin"), WRITE, op("drain_end"), op("collect"))
    options = TargetOptions(qsd_binary=binary, serial=True)
    with nothing_left(), qsd_target("vhost-user-blk", "processes", options) as target:
        execution = excused(run_scenario(target, Scenario(DeviceConfig(iothreads=1), window)))
        if execution.verdict.clean:
            _, begin, kick, end, _ = execution.trace.stops
            assert begin[Role.MAIN]
            assert not any(kick)  # nobody listens in a section
            assert end[Role.IO0]


def test_a_schedule_of_no_role_needs_no_gate(target: RealTarget) -> None:
    execution = run(target, Deviation(1, 0, Go.NEXT))
    assert execution.trace.stops == ()
    assert execution.trace.places == ()


def test_a_machine_without_a_gate(binary: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vblkfuzz.targets.qsd.rig.why_no_gate", lambda: "no filter")
    options = TargetOptions(qsd_binary=binary)
    with nothing_left(), qsd_target("vhost-user-blk", "processes", options) as target:
        assert target.no_gate == "no filter: schedules do not interrupt the threads of the daemon"
        execution = run(target, Deviation(1, 0, Go.MAIN, role=Role.IO0))
        assert execution.verdict.clean
        assert execution.trace.stops == ()


def test_the_cores_of_the_fuzz_process_are_its_own_between_scenarios(target: RealTarget) -> None:
    cores = os.sched_getaffinity(0)
    run(target, Deviation(1, 0, Go.MAIN, role=Role.IO0))
    assert os.sched_getaffinity(0) == cores


def test_a_request_that_is_parked_as_a_section_begins(binary: str) -> None:
    """From QEMU 8.1 on: the daemon waits for a request that waits for the end of its section."""
    rig = QsdRig(TargetOptions(qsd_binary=binary))
    scenario = Scenario(
        DeviceConfig(iothreads=1),
        (op("init"), WRITE, op("snapshot")),
        schedule=(Deviation(1, 0, Go.NEXT, role=Role.IO0),),
    )
    with RealTarget("qsd", "vhost-user-blk", rig, rig.port) as target:
        signatures = [one.signature for one in run_scenario(target, scenario).verdict.violations]
    version = rig.versions["qemu-storage-daemon"]
    hangs = not version.startswith(("6.", "7.", "8.0"))
    assert signatures == (["hang-operator-bdrv_drain_all_begin"] if hangs else [])
