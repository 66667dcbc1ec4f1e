"""Save and restore of any back-end: a storage daemon, and one with an inflight area."""

from __future__ import annotations

import sys

import pytest

from tests.conformance.leftovers import nothing_left
from tests.targets.qsd.binary import NEEDS_QSD
from tests.targets.vhost_user import own_backend
from tests.targets.vhost_user.backend import DAEMON
from tests.waiting import until
from vblkfuzz.executor import Execution, run_scenario
from vblkfuzz.scenario.device import DeviceConfig
from vblkfuzz.scenario.op import Op, op
from vblkfuzz.scenario.scenario import Scenario
from vblkfuzz.targets.options import TargetOptions
from vblkfuzz.targets.vhost_user.target import vhost_user_target
from vblkfuzz.trace.kinds import COLLECT, PUSH, RESTORED, VM_CONT

HELD = op("publish_kick", request="in", sector=3)
"""Held by our own back-end until its ring is started again: the sector is odd."""
SERVED = op("publish_kick", request="in", sector=2)
SAVE, RESTORE, LOOK = op("save"), op("restore"), op("collect")
SYNC = op("read_config")
"""Our own back-end answers it when it has done all before: it need not be fast."""
PLAIN = DeviceConfig(event_idx=False)


def run(command: str, *ops: Op) -> Execution:
    options = TargetOptions(vhost_user_command=command)
    with nothing_left(), vhost_user_target("vhost-user-blk", "processes", options) as target:
        return run_scenario(target, Scenario(PLAIN, (op("init"), *ops)))


def own(variant: str) -> str:
    return f"{sys.executable} {own_backend.__file__} {{socket}} {variant}"


def kinds(execution: Execution) -> list[int]:
    return [event.kind for event in execution.trace.events]


@pytest.mark.realdevice
@NEEDS_QSD
def test_a_storage_daemon() -> None:
    """On a busy machine it may take longer than a scenario waits: then another one is run."""
    published = op("publish", request="in", sector=3)
    scenario = Scenario(PLAIN, (op("init"), SERVED, published, SAVE, RESTORE, LOOK, SERVED))
    options = TargetOptions(vhost_user_command=DAEMON)
    with nothing_left(), vhost_user_target("vhost-user-blk", "processes", options) as target:

        def serves_all() -> bool:
            execution = run_scenario(target, scenario)
            assert execution.verdict.clean
            return kinds(execution).count(COLLECT) == 3

        until(serves_all)


def test_a_noted_request_ends_once_after_the_restore() -> None:
    execution = run(
        own("right"), SERVED, SYNC, LOOK, HELD, SYNC, SAVE, RESTORE, SYNC, LOOK, SERVED, SYNC, LOOK
    )
    assert execution.verdict.clean
    seen = kinds(execution)
    assert seen.count(PUSH) == seen.count(COLLECT) == 3
    assert RESTORED in seen
    assert [kind for kind in seen if kind in (PUSH, VM_CONT)] == [PUSH, VM_CONT, PUSH, PUSH]


def test_a_second_save_finds_the_same_area() -> None:
    execution = run(own("right"), *(HELD, SYNC, SAVE, RESTORE, SYNC, LOOK) * 2)
    assert execution.verdict.clean
    assert kinds(execution).count(COLLECT) == 2


def test_a_reset_ends_what_was_noted() -> None:
    execution = run(own("right"), HELD, SYNC, op("reset"), op("init"), SERVED, SYNC, SAVE, RESTORE)
    assert execution.verdict.clean
    assert kinds(execution).count(PUSH) == 1


def test_a_request_that_is_submitted_again_although_it_had_ended() -> None:
    execution = run(own("twice"), SERVED, SYNC, LOOK, SAVE, RESTORE, SYNC, LOOK)
    assert {one.rule for one in execution.verdict.violations} >= {"S6"}


def test_a_request_that_is_lost() -> None:
    """Not judged: any back-end may serve it later."""
    execution = run(own("drops"), HELD, SYNC, SAVE, RESTORE, SYNC, LOOK)
    assert execution.verdict.clean
    assert PUSH not in kinds(execution)
