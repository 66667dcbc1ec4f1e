"""Packed rings on a vhost-user back-end, and what one without them does with such a scenario."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.leftovers import descendants, nothing_left
from tests.dataplane.ring_outcome import stories
from tests.targets.both_rings import Compared, compare
from tests.targets.qsd.binary import NEEDS_QSD
from tests.targets.vhost_user import ring_backend
from tests.targets.vhost_user.backend import DAEMON, RINGS
from vblkfuzz.executor import Execution, run_scenario
from vblkfuzz.limits import FIRST_INDICES
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.real import RealTarget
from vblkfuzz.targets.vhost_user.target import vhost_user_target
from vblkfuzz.trace.kinds import COLLECT, DRIVER_INIT

INIT, SEND, COLLECTS = op("init"), op("publish_kick", request="in"), op("collect")
SYNC = op("read_config")
"""Our own back-end answers it when it has done all before: it need not be fast."""
SERVED = SEND, SYNC, COLLECTS


def back_end(command: str) -> RealTarget:
    options = TargetOptions(vhost_user_command=command)
    return vhost_user_target("vhost-user-blk", "processes", options)


@pytest.fixture(scope="module")
def target() -> Iterator[RealTarget]:
    with nothing_left(), back_end(RINGS) as target:
        yield target


def run(target: RealTarget, *ops: Op, **fields: bool | int | str) -> Execution:
    config = DeviceConfig(ring="packed", **fields)  # type: ignore[arg-type]  # any field
    return run_scenario(target, Scenario(config, ops))


def collected(execution: Execution) -> int:
    return sum(event.kind == COLLECT for event in execution.trace.events)


def forms(execution: Execution) -> list[int]:
    """Return of each set-up whether its rings are packed."""
    events = execution.trace.events
    return [event.length for event in events if event.kind == DRIVER_INIT and event.flag]


def test_the_guest_sees_the_same(target: RealTarget) -> None:
    """More of them: tests/soak/packed.py."""
    seen = Compared()
    for scenario in stories(seed=3, count=20):
        compare(target, scenario, seen)
    assert seen.different == []
    assert seen.requests > 10


@pytest.mark.parametrize("first", FIRST_INDICES)
def test_a_back_end_goes_on_in_either_lap(target: RealTarget, first: int) -> None:
    """GET_VRING_BASE and SET_VRING_BASE have two places with wrap counters."""
    moved = op("save"), op("restore"), *SERVED
    execution = run(target, INIT, *(SERVED + moved) * 4, first_index=first, queue_size=4)
    assert execution.verdict.clean
    assert collected(execution) == 8
    assert forms(execution) == [1]


def test_new_rings_and_a_driver_that_does_not_negotiate(target: RealTarget) -> None:
    ops = INIT, *SERVED * 3, op("queue_reset"), *SERVED, op("init", how="no_features"), *SERVED
    execution = run(target, *ops, event_idx=True, queues=2)
    assert execution.verdict.clean
    assert collected(execution) == 5
    assert forms(execution) == [1, 0]


def test_a_driver_that_declines_event_idx_is_taken_at_its_word(target: RealTarget) -> None:
    """With that feature a back-end would ask for kicks in a way that this driver does not know."""
    execution = run(target, op("init", decline="event_idx"), *SERVED * 3, event_idx=True)
    assert execution.verdict.clean
    assert collected(execution) == 3


def test_a_discard_with_a_wrong_flag_is_refused(target: RealTarget) -> None:
    """So that scenarios with such a request can be compared, too."""
    wrong = op("publish_kick", request="discard", shape="reserved_flag")
    execution = run(target, INIT, wrong, SYNC, COLLECTS)
    assert execution.verdict.clean
    assert collected(execution) == 1


def test_our_back_end_closes_what_it_gets(target: RealTarget) -> None:
    """It serves any number of connections."""
    counts = []
    for _ in range(3):
        run(target, INIT, *SERVED, op("save"), op("restore"), *SERVED)
        (backend,) = (each for each in descendants() if ring_backend.__file__ in each.cmdline())
        counts.append(backend.num_fds())
    assert counts[1] == counts[2]


def test_a_back_end_that_begins_anew_after_a_restore_serves_nothing() -> None:
    """Not judged, as any back-end may serve it later; but the base matters."""
    with back_end(f"{RINGS} forgets") as target:
        execution = run(target, INIT, *SERVED * 2, op("save"), op("restore"), *SERVED)
    assert collected(execution) == 2


def test_an_answer_at_a_wrong_place_is_not_collected() -> None:
    with back_end(f"{RINGS} skips") as target:
        execution = run(target, INIT, *SERVED * 3, queue_size=16)
    assert collected(execution) == 1


@pytest.mark.realdevice
@NEEDS_QSD
def test_a_storage_daemon_has_none() -> None:
    with back_end(DAEMON) as target:
        execution = run(target, INIT, *SERVED)
    assert execution.verdict.clean
    assert forms(execution) == [0]
