"""Any back-end behind a gate: a small one of our own, whose threads are not known before."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.leftovers import descendants, nothing_left
from tests.gate.program import NEEDS_GATE
from tests.targets.vhost_user import own_backend
from tests.waiting import until
from vblkfuzz.executor import Execution, run_scenario
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import op
from vblkfuzz.scenario.place import Place
from vblkfuzz.scenario.scenario import Deviation, Go, Role, Scenario
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.real import RealTarget
from vblkfuzz.targets.vhost_user.target import vhost_user_target
from vblkfuzz.trace.kinds import OP, PUSH
from vblkfuzz.trace.schedule_kinds import GOES_ON, HELD

pytestmark = [pytest.mark.realdevice, NEEDS_GATE]

BACKEND = f"{sys.executable} {own_backend.__file__} {{socket}} right"
KICK = op("publish_kick", request="in", sector=2)
SCENARIO = Scenario(DeviceConfig(event_idx=False), (op("init"), KICK, KICK))
AT_READ = Deviation(1, 0, Go.NEXT, role=Role.MAIN)
AT_CALL = Deviation(1, 1, Go.NEXT, role=Role.MAIN)


@pytest.fixture
def target() -> Iterator[RealTarget]:
    options = TargetOptions(vhost_user_command=BACKEND)
    with nothing_left(), vhost_user_target("vhost-user-blk", "processes", options) as target:
        yield target


def run(target: RealTarget, *schedule: Deviation) -> Execution:
    return run_scenario(target, Scenario(SCENARIO.device, SCENARIO.ops, schedule=schedule))


def story(execution: Execution) -> tuple[tuple[int, int], ...]:
    """Return operation and kind of each event of the schedule and each used entry."""
    found, number = [], -1
    for event in execution.trace.events:
        if event.kind == OP:
            number = event.value
        elif event.kind in (HELD, GOES_ON, PUSH):
            found.append((number, event.kind))
    return tuple(found)


def test_it_is_held_before_it_reads_a_kick(target: RealTarget) -> None:
    found = [run(target, AT_READ) for _ in range(5)]
    assert all(execution.verdict.clean for execution in found)
    assert {execution.trace.places for execution in found} == {(Place("eventfd_read"),)}
    assert {story(execution) for execution in found} == {
        ((1, HELD), (2, GOES_ON), (2, PUSH), (2, PUSH))
    }


def test_it_is_held_before_it_calls_the_guest(target: RealTarget) -> None:
    found = [run(target, AT_CALL) for _ in range(5)]
    assert {story(execution) for execution in found} == {
        ((1, HELD), (1, PUSH), (2, GOES_ON), (2, PUSH))
    }
    assert {execution.trace.places for execution in found} == {
        (Place("eventfd_write", after="eventfd_read"),)
    }


def test_the_back_end_is_started_again_once(target: RealTarget) -> None:
    run(target)
    (free,) = backends()
    run(target, AT_READ)
    (gated,) = backends()
    assert gated != free
    assert run(target).trace.stops == ()
    assert run(target, AT_CALL).trace.stops
    assert backends() == {gated}


def backends() -> set[int]:
    return {process.pid for process in descendants() if own_backend.__file__ in process.cmdline()}


def test_always() -> None:
    options = TargetOptions(vhost_user_command=BACKEND, serial=True)
    with nothing_left(), vhost_user_target("vhost-user-blk", "processes", options) as target:
        before = backends()
        execution = run(target)
        assert [each[Role.MAIN] for each in execution.trace.stops] == [0, 2, 2]
        assert backends() == before


def test_never() -> None:
    options = TargetOptions(vhost_user_command=BACKEND, serial=False)
    with nothing_left(), vhost_user_target("vhost-user-blk", "processes", options) as target:
        execution = run(target, AT_READ)
        assert execution.trace.stops == ()


def test_one_that_runs_already_has_no_gate(tmp_path: Path) -> None:
    path = tmp_path / "s"
    command = BACKEND.replace("{socket}", str(path)).split()
    with subprocess.Popen(command) as process:
        until(path.is_socket)
        options = TargetOptions(vhost_user_socket=str(path))
        with vhost_user_target("vhost-user-blk", "processes", options) as target:
            assert "runs already" in target.no_gate
            assert run(target, AT_READ).trace.stops == ()
        process.kill()
